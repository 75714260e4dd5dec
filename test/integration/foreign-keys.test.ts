import { beforeAll, describe, expect, it } from 'vitest';
import { itHoldsBothWays, readConflicts, ways } from '../support/both-ways.js';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, type Transport, transports } from '../support/link.js';
import { getCloneServer, getTestServer } from '../support/server.js';
import { expectConvergence, waitForBlocked } from '../support/synchronised.js';

const actions = ['cascade', 'set null', 'set default', 'no action', 'restrict'] as const;
type Action = (typeof actions)[number];
const schemaOf = (action: Action): string => action.replace(' ', '_');

/** A family of three generations, each of whose foreign keys does the same on delete and, but for RESTRICT, on update. */
const families = actions.map((action) => {
  const schema = schemaOf(action);
  const both = `on delete ${action} on update ${action}`;
  return `
    create schema ${schema};
    create table ${schema}.parent (id integer primary key, name text, note text);
    create table ${schema}.child (
      id integer primary key, parent_id integer default 1 references ${schema}.parent ${both}, name text
    );
    create table ${schema}.grandchild (id integer primary key, child_id integer references ${schema}.child ${both}, name text);`;
});

const others = `
  create schema test;
  create table test.top (id integer primary key, name text unique);
  create table test.middle (id integer primary key, top_id integer references test.top on delete cascade);
  create table test.leaf (
    id integer primary key, middle_id integer references test.middle on delete set null, name text,
    owner_id integer not null default 1 references test.top on delete set null
  );
  create table test.tree (
    id integer primary key, up integer references test.tree on delete cascade deferrable, name text
  );
  create table test.strict_tree (id integer primary key, up integer references test.strict_tree);
  create table test.man (id integer primary key, wife integer);
  create table test.woman (id integer primary key, husband integer references test.man deferrable initially deferred);
  alter table test.man add foreign key (wife) references test.woman deferrable initially deferred;
  create table test.place (country text, city text, primary key (country, city));
  create table test.visit (
    id integer primary key, country text, city text,
    foreign key (country, city) references test.place on delete set null on update cascade
  );`;

const rows = `
  ${actions
    .map(
      (action) =>
        `insert into ${schemaOf(action)}.parent (id, name) select n, 'parent ' || n from generate_series(1, 7) as n;`,
    )
    .join('\n')}
  insert into test.top values (1, 'one'), (2, 'two'), (3, 'three');
  insert into test.place values ('fr', 'paris'), ('fr', 'lyon');`;

let link: LinkedDatabases;
beforeAll(async () => {
  link = await linkDatabases(families.join('') + others, { schemas: [...actions.map(schemaOf), 'test'] });
});

async function expectOnAll(databases: TestDatabase[], sql: string, expected: unknown[]): Promise<void> {
  for (const database of databases) expect(await database.query(sql), sql).toEqual(expected);
}

/** What happens on two sides, and what must come of it. Each has rows of its own, so that all are played at once. */
interface Story {
  title: string;
  /** At the sender; both have it before the rest happens. */
  before?: string;
  atSender: string;
  atReceiver?: string;
  /** Queries of both servers afterwards, and their answers. */
  outcome: [sql: string, expected: unknown[]][];
  /** Conflicts that are recorded, in either of the servers: the table, the kind and what was lost. */
  recorded?: { schema?: string; table: string; kind: string; losing?: string }[];
}

const lostChild = { kind: 'foreign_key_cascade', losing: expect.stringContaining('child') };
const outcomesOfDelete: Record<
  Action,
  { parents: number[]; children: [number, number | null][]; recorded: Story['recorded'] }
> = {
  cascade: {
    parents: [1, 3],
    children: [],
    recorded: [
      { table: 'child', ...lostChild },
      { table: 'child', ...lostChild },
      { table: 'grandchild', ...lostChild },
    ],
  },
  'set null': {
    parents: [1, 3],
    children: [
      [5, null],
      [6, null],
    ],
    recorded: Array(2).fill({ table: 'child', kind: 'foreign_key_set', losing: '"parent_id"=>"2"' }),
  },
  'set default': {
    parents: [1, 3],
    children: [
      [5, 1],
      [6, 1],
    ],
    recorded: Array(2).fill({ table: 'child', kind: 'foreign_key_set', losing: '"parent_id"=>"2"' }),
  },
  'no action': {
    parents: [1, 2, 3],
    children: [
      [5, 2],
      [6, 2],
    ],
    recorded: [{ table: 'parent', kind: 'foreign_key_restore' }],
  },
  restrict: {
    parents: [1, 2, 3],
    children: [
      [5, 2],
      [6, 2],
    ],
    recorded: [{ table: 'parent', kind: 'foreign_key_restore' }],
  },
};

const deletedParents = actions.map((action): Story => {
  const schema = schemaOf(action);
  const { parents, children, recorded = [] } = outcomesOfDelete[action];
  return {
    title: `ON DELETE ${action.toUpperCase()} decides when a deleted parent got children, new ones and others`,
    before: `insert into ${schema}.child values (6, 3, 'older child')`,
    atSender: `delete from ${schema}.parent where id = 2`,
    atReceiver: `
      insert into ${schema}.child (id, parent_id, name) values (5, 2, 'child');
      insert into ${schema}.grandchild (id, child_id, name) values (9, 5, 'grandchild');
      update ${schema}.child set parent_id = 2 where id = 6;
      update ${schema}.parent set note = 'changed meanwhile' where id = 2`,
    outcome: [
      [`select id from ${schema}.parent where id < 4 order by id`, parents.map((id) => ({ id }))],
      [
        `select name, note from ${schema}.parent where id = 2`,
        parents.includes(2) ? [{ name: 'parent 2', note: 'changed meanwhile' }] : [],
      ],
      [
        `select id, parent_id from ${schema}.child where id < 10 order by id`,
        children.map(([id, parent_id]) => ({ id, parent_id })),
      ],
      [`select child_id from ${schema}.grandchild where id = 9`, action === 'cascade' ? [] : [{ child_id: 5 }]],
    ],
    recorded: recorded.map((conflict) => ({ schema, ...conflict })),
  };
});

const outcomesOfUpdate: Record<Action, { parentId: number; childParentId: number | null }> = {
  cascade: { parentId: 40, childParentId: 40 },
  'set null': { parentId: 40, childParentId: null },
  'set default': { parentId: 40, childParentId: 1 },
  'no action': { parentId: 4, childParentId: 4 },
  restrict: { parentId: 4, childParentId: 4 },
};

const changedKeys = actions.map((action): Story => {
  const schema = schemaOf(action);
  const { parentId, childParentId } = outcomesOfUpdate[action];
  return {
    title: `ON UPDATE ${action.toUpperCase()} decides when a parent whose key was changed got a child`,
    atSender: `update ${schema}.parent set id = 40 where id = 4`,
    atReceiver: `insert into ${schema}.child (id, parent_id, name) values (15, 4, 'child')`,
    outcome: [
      [`select id from ${schema}.parent where name = 'parent 4'`, [{ id: parentId }]],
      [`select parent_id from ${schema}.child where id = 15`, [{ parent_id: childParentId }]],
    ],
    recorded: [
      parentId === 4
        ? { schema, table: 'parent', kind: 'foreign_key_restore' }
        : { schema, table: 'child', kind: 'foreign_key_set' },
    ],
  };
});

const levels: Story[] = [
  {
    title: 'a parent comes back with all that it needs itself, several levels deep',
    before: `insert into no_action.child values (23, 5, 'third')`,
    atSender: 'delete from no_action.child where id = 23; delete from no_action.parent where id = 5',
    atReceiver: `insert into no_action.grandchild values (27, 23, 'needs all')`,
    outcome: [
      [
        `select p.name as parent, c.name as child, g.name as grandchild from no_action.grandchild as g
         join no_action.child as c on c.id = g.child_id join no_action.parent as p on p.id = c.parent_id where g.id = 27`,
        [{ parent: 'parent 5', child: 'third', grandchild: 'needs all' }],
      ],
    ],
  },
  {
    title: 'a deleted row takes some along and leaves others, as each level says',
    atSender: 'delete from test.top where id = 2',
    atReceiver: `
      insert into test.middle values (20, 2); insert into test.leaf (id, middle_id, name) values (200, 20, 'leaf')`,
    outcome: [
      ['select from test.middle', []],
      ['select middle_id, name from test.leaf where id = 200', [{ middle_id: null, name: 'leaf' }]],
    ],
  },
  {
    title: 'a parent comes back when SET NULL meets a column that cannot be null',
    atSender: 'delete from test.top where id = 3',
    atReceiver: `insert into test.leaf (id, name, owner_id) values (300, 'leaf', 3)`,
    outcome: [
      [
        'select l.owner_id, t.name from test.leaf as l join test.top as t on t.id = l.owner_id where l.id = 300',
        [{ owner_id: 3, name: 'three' }],
      ],
    ],
    recorded: [{ schema: 'test', table: 'top', kind: 'foreign_key_restore' }],
  },
  {
    title: 'children that a delete took along stay deleted, and what was changed in them is on record',
    before: `insert into cascade.child values (31, 6, 'child')`,
    atSender: 'delete from cascade.parent where id = 6',
    atReceiver: `update cascade.child set name = 'lost' where id = 31`,
    outcome: [['select from cascade.child where id = 31', []]],
  },
  {
    title: 'keys of several columns count as one',
    atSender: `delete from test.place where city = 'lyon'`,
    atReceiver: `insert into test.visit values (1, 'fr', 'lyon'), (2, 'fr', 'paris')`,
    outcome: [
      [
        'select id, country, city from test.visit order by id',
        [
          { id: 1, country: null, city: null },
          { id: 2, country: 'fr', city: 'paris' },
        ],
      ],
    ],
  },
  {
    title: 'a changed key takes along the children from before and those added meanwhile, several levels deep',
    before: `insert into cascade.child values (51, 7, 'child'); insert into cascade.grandchild values (59, 51, 'one')`,
    atSender: 'update cascade.parent set id = 70 where id = 7; update cascade.child set id = 510 where id = 51',
    atReceiver: `
      update cascade.child set name = 'renamed' where id = 51; insert into cascade.grandchild values (60, 51, 'late')`,
    outcome: [
      ['select parent_id, name from cascade.child where id in (51, 510)', [{ parent_id: 70, name: 'renamed' }]],
      [
        'select id, child_id from cascade.grandchild where id in (59, 60) order by id',
        [
          { id: 59, child_id: 510 },
          { id: 60, child_id: 510 },
        ],
      ],
    ],
  },
];

const circles: Story[] = [
  {
    title: 'a tree arrives whatever the order in which it was made, and can be turned upside down',
    before: `
      begin; set constraints all deferred;
      insert into test.strict_tree values (3, null), (2, 3), (1, 2); commit`,
    atSender: `
      begin; update test.strict_tree set up = null where id < 10;
      update test.strict_tree set up = id - 1 where id in (2, 3); commit`,
    outcome: [
      [
        'select id, up from test.strict_tree where id < 10 order by id',
        [
          { id: 1, up: null },
          { id: 2, up: 1 },
          { id: 3, up: 2 },
        ],
      ],
    ],
  },
  {
    title: 'a tree that is felled is gone everywhere',
    before: `
      begin; set constraints all deferred;
      insert into test.tree select n, nullif(n + 1, 131), 'node ' || n from generate_series(101, 130) as n; commit`,
    atSender: 'delete from test.tree where id = 130',
    outcome: [['select from test.tree where id > 100', []]],
  },
  {
    title: 'a branch that grew on a tree that was felled goes with it, leaf by leaf',
    before: `insert into test.tree values (1, null, 'root'), (2, 1, 'branch')`,
    atSender: 'delete from test.tree where id = 1',
    atReceiver: `insert into test.tree values (3, 2, 'twig'), (4, 3, 'leaf'), (5, 4, 'caterpillar')`,
    outcome: [['select from test.tree where id < 100', []]],
    recorded: ['twig', 'leaf', 'caterpillar'].map((name) => ({
      schema: 'test',
      table: 'tree',
      kind: 'foreign_key_cascade',
      losing: expect.stringContaining(name),
    })),
  },
  {
    title: 'a node that may not go brings back all above it',
    before: 'insert into test.strict_tree values (11, null), (12, 11), (13, 12)',
    atSender: `
      delete from test.strict_tree where id = 13; delete from test.strict_tree where id = 12;
      delete from test.strict_tree where id = 11`,
    atReceiver: 'insert into test.strict_tree values (14, 13)',
    outcome: [
      [
        'select id, up from test.strict_tree where id > 10 order by id',
        [
          { id: 11, up: null },
          { id: 12, up: 11 },
          { id: 13, up: 12 },
          { id: 14, up: 13 },
        ],
      ],
    ],
  },
  {
    title: 'rows that refer to each other arrive and change together',
    before: 'begin; insert into test.man values (1, 1), (2, 2); insert into test.woman values (1, 1), (2, 2); commit',
    atSender: `
      begin; update test.man set wife = 3 - wife where id < 3; update test.woman set husband = 3 - husband where id < 3; commit`,
    outcome: [
      [
        'select m.id, m.wife from test.man as m join test.woman as w on (w.id, w.husband) = (m.wife, m.id) where m.id < 3 order by 1',
        [
          { id: 1, wife: 2 },
          { id: 2, wife: 1 },
        ],
      ],
    ],
  },
  {
    title: 'rows that refer to each other come back together when one of them is needed',
    before: 'begin; insert into test.man values (10, 10); insert into test.woman values (10, 10); commit',
    atSender: 'begin; delete from test.man where id = 10; delete from test.woman where id = 10; commit',
    atReceiver: 'insert into test.woman values (15, 10)',
    outcome: [
      ['select id, wife from test.man where id >= 10', [{ id: 10, wife: 10 }]],
      [
        'select id, husband from test.woman where id >= 10 order by id',
        [
          { id: 10, husband: 10 },
          { id: 15, husband: 10 },
        ],
      ],
    ],
  },
];

const groups = [
  { subject: 'a parent that was deleted while it got a child (behaviour 5)', stories: deletedParents },
  { subject: 'a parent whose key was changed while it got a child (behaviour 5)', stories: changedKeys },
  { subject: 'several levels and several columns (behaviour 5)', stories: levels },
  { subject: 'self-references and cycles (behaviours 4 and 5)', stories: circles },
];

describe.each(ways)('with what the $sending did first, by $transport:', ({ sending, transport }) => {
  let both: TestDatabase[];
  let conflicts: unknown[];

  beforeAll(async () => {
    await link.reset(rows);
    const [clone] = link.clones as [TestDatabase];
    const { central } = link;
    both = [central, clone];
    const [sender, receiver] = sending === 'clone' ? [clone, central] : [central, clone];
    const stories = groups.flatMap((group) => group.stories);
    for (const { before } of stories) if (before) await sender.query(before);
    expect(await link.sync(clone, transport)).toMatchObject({ held: 0, conflicts: 0 });
    expect(await link.contents(receiver)).toEqual(await link.contents(sender));
    for (const { atSender } of stories) await sender.query(atSender);
    for (const { atReceiver } of stories) if (atReceiver) await receiver.query(atReceiver);
    for (let number = 1; number < 4; number += 1) {
      expect(await link.sync(clone, transport)).toMatchObject({ held: 0 });
    }
    conflicts = await readConflicts(central, clone);
  });

  for (const { subject, stories } of groups) {
    describe(subject, () => {
      it.each(stories)('$title', async ({ outcome, recorded = [] }) => {
        for (const [sql, expected] of outcome) await expectOnAll(both, sql, expected);
        for (const conflict of recorded) expect(conflicts).toContainEqual(expect.objectContaining(conflict));
      });
    });
  }

  it('all servers come to rest, and are equal', async () => {
    await expectConvergence(link);
  });
});

describe('a parent that was deleted in the central (behaviour 5)', () => {
  it.each(transports)('is decided by a table that only the clone has (%s)', async (transport) => {
    await link.reset(rows);
    const [clone] = link.clones as [TestDatabase];
    const { central } = link;
    await clone.query(`
      create schema own;
      create table own.loose (id integer, parent_id integer references cascade.parent on delete cascade);
      create table own.strict (id integer, parent_id integer references no_action.parent);
      insert into own.loose values (1, 2); insert into own.strict values (1, 2)`);
    try {
      await central.query('delete from cascade.parent where id = 2; delete from no_action.parent where id = 2');
      await link.sync(clone, transport);
      expect(await clone.query('select from own.loose')).toEqual([]);
      expect(await clone.query('select name from own.strict join no_action.parent as p on p.id = parent_id')).toEqual([
        { name: 'parent 2' },
      ]);
      await link.sync(clone, transport);
      expect(await central.value('select name from no_action.parent where id = 2')).toBe('parent 2');
    } finally {
      await clone.query('drop schema own cascade');
    }
    await expectConvergence(link);
  });
});

describe('foreign keys while people write (behaviour 5)', () => {
  let small: LinkedDatabases;
  beforeAll(async () => {
    small = await linkDatabases(`
      create schema test;
      create table test.parent (id serial primary key, name text unique);
      create table test.child (id serial primary key, parent_id integer not null references test.parent, name text);
      create table test.follower (
        id integer primary key, parent_id integer references test.parent on delete cascade, name text
      );
      create table test.guest (id integer primary key, parent_id integer references test.parent on delete set null)`);
  });
  const two = `insert into test.parent (name) values ('one'), ('two')`;

  /** Synchronises the clone while somebody writes in the central, and commits when the sync waits for that. */
  async function syncWhile(transport: Transport, writing: string): Promise<void> {
    const editor = await small.central.connect();
    await editor.query(`begin; ${writing}`);
    const syncing = small.sync(small.clones[0], transport);
    await waitForBlocked(small.central);
    await editor.query('commit');
    await editor.end();
    await syncing;
  }

  itHoldsBothWays(
    'a parent that somebody is about to delete does not lose its arriving child',
    () => small,
    two,
    async (way) => {
      const { central, clone, sender, receiver, synchronise } = way;
      await sender.query(`insert into test.child values (5, 2, 'child')`);
      const editor = await receiver.connect();
      await editor.query('begin; delete from test.parent where id = 2');
      const syncing = synchronise();
      await waitForBlocked(receiver);
      await editor.query('commit');
      await editor.end();
      await syncing;
      await synchronise();
      await expectOnAll(
        [central, clone],
        'select c.id, p.name from test.child as c join test.parent as p on p.id = parent_id',
        [{ id: 5, name: 'two' }],
      );
    },
  );

  itHoldsBothWays(
    'a parent cannot be deleted between the arrival of its child and the commit',
    () => small,
    two,
    async (way) => {
      const { sender, receiver, synchronise } = way;
      await sender.query(`insert into test.child values (5, 2, 'child')`);
      const holder = await receiver.connect();
      await holder.query('begin; lock table lizsync.history in exclusive mode');
      const syncing = synchronise();
      await waitForBlocked(receiver);
      const deleting = receiver.query('delete from test.parent where id = 2').then(
        () => undefined,
        (error: unknown) => error,
      );
      await waitForBlocked(receiver, 2);
      await holder.query('rollback');
      await holder.end();
      await syncing;
      expect(await deleting).toMatchObject({ code: '23503' });
    },
  );

  it.each(transports)(
    'of a child that goes with its parent, what somebody has just written is recorded (%s)',
    async (transport) => {
      await small.reset(two);
      const { central } = small;
      const [clone] = small.clones as [TestDatabase];
      await central.query(`insert into test.follower values (5, 2, 'first')`);
      await clone.query('delete from test.parent where id = 2');
      await syncWhile(transport, `update test.follower set name = 'second' where id = 5`);
      expect(await readConflicts(central)).toMatchObject([
        { kind: 'foreign_key_cascade', losing: '"id"=>"5", "name"=>"second", "parent_id"=>"2"' },
      ]);
      await small.sync(clone, transport);
      await expectOnAll([central, clone], 'select id from test.follower', []);
      await expectConvergence(small);
    },
  );

  it.each(transports)(
    'a child that somebody is about to give another parent stays with that one (%s)',
    async (transport) => {
      await small.reset(two);
      const { central } = small;
      const [clone] = small.clones as [TestDatabase];
      await central.query('insert into test.follower values (5, 2); insert into test.guest values (6, 2)');
      await clone.query('delete from test.parent where id = 2');
      await syncWhile(transport, 'update test.follower set parent_id = 1; update test.guest set parent_id = 1');
      await small.sync(clone, transport);
      expect(await readConflicts(central, clone)).toEqual([]);
      for (const table of ['follower', 'guest']) {
        await expectOnAll([central, clone], `select parent_id from test.${table}`, [{ parent_id: 1 }]);
      }
      await expectConvergence(small);
    },
  );

  it.each(transports)(
    'a parent that somebody deletes while it gets its key back comes back (%s)',
    async (transport) => {
      await small.reset(two);
      const { central } = small;
      const [clone] = small.clones as [TestDatabase];
      await central.query('update test.parent set id = 20 where id = 2');
      await clone.query(`insert into test.child values (5, 2, 'child')`);
      // it is tried again
      await syncWhile(transport, 'delete from test.parent where id = 20');
      for (let count = 0; count < 2; count += 1) await small.sync(clone, transport);
      await expectOnAll(
        [central, clone],
        'select c.id, p.name from test.child as c left join test.parent as p on p.id = parent_id',
        [{ id: 5, name: 'two' }],
      );
      await expectConvergence(small);
    },
  );

  it.each(transports)('a child that somebody is about to delete is gone (%s)', async (transport) => {
    await small.reset(two);
    const { central } = small;
    const [clone] = small.clones as [TestDatabase];
    await central.query('insert into test.follower values (5, 2); insert into test.guest values (6, 2)');
    await clone.query('delete from test.parent where id = 2');
    await syncWhile(transport, 'delete from test.follower; delete from test.guest');
    expect(await readConflicts(central, clone)).toEqual([]);
    await expectOnAll([central, clone], 'select id from test.follower union all select id from test.guest', []);
    await expectConvergence(small);
  });

  it.each(transports)(
    'a child of a table that only one server has follows what somebody is about to write (%s)',
    async (transport) => {
      await small.reset(two);
      const { central } = small;
      const [clone] = small.clones as [TestDatabase];
      await central.query(`
      create schema own;
      create table own.loose (id integer, parent_id integer references test.parent on delete cascade, name text);
      insert into own.loose values (1, 2), (2, 2)`);
      try {
        await clone.query('delete from test.parent where id = 2');
        await syncWhile(
          transport,
          `update own.loose set name = 'written' where id = 1; update own.loose set parent_id = 1 where id = 2`,
        );
        expect(await central.query('select id, parent_id from own.loose')).toEqual([{ id: 2, parent_id: 1 }]);
      } finally {
        await central.query('drop schema own cascade');
      }
      await expectConvergence(small);
    },
  );

  it.each(transports)('a parent that is held keeps its children waiting (%s)', async (transport) => {
    await small.reset(two);
    const { central } = small;
    const [clone] = small.clones as [TestDatabase];
    // another row had that key before: it is not the parent that was deleted
    await central.query(`insert into test.parent values (10, 'old'); delete from test.parent where id = 10`);
    await small.sync(clone, transport);
    await clone.query(`insert into test.parent values (10, 'same'); insert into test.follower values (5, 10)`);
    await central.query(`insert into test.parent values (11, 'same')`);
    expect(await small.sync(clone, transport)).toMatchObject({ held: 3 });
    expect(await central.query('select table_name, sqlstate from lizsync.held_changes order by 1')).toEqual([
      { table_name: 'follower', sqlstate: '23503' },
      { table_name: 'parent', sqlstate: '23505' },
    ]);
    await central.query(`update test.parent set name = 'another' where id = 11`);
    await small.sync(clone, transport);
    expect(await small.sync(clone, transport)).toMatchObject({ held: 0 });
    await expectConvergence(small);
  });

  it.each(transports)('numbers drawn on both sides never lead a child to another parent (%s)', async (transport) => {
    await small.reset('select');
    const [clone] = small.clones as [TestDatabase];
    const both = [small.central, clone];
    for (const [number, database] of both.entries()) {
      await database.query(`
        with new as (insert into test.parent (name) select '${number} ' || n from generate_series(1, 20) as n returning id, name)
        insert into test.child (parent_id, name) select id, name from new`);
    }
    expect(await small.sync(clone, transport)).toMatchObject({ held: 0, conflicts: 0, pushed: 40, pulled: 40 });
    for (const database of both) {
      expect(
        await database.query(`
          select count(*)::integer as parts, bool_and(p.name = n.name) as fits
          from test.child as p left join test.parent as n on n.id = p.parent_id`),
      ).toEqual([{ parts: 40, fits: true }]);
    }
    await expectConvergence(small);
  });
});

describe.skipIf(getTestServer().version < 150_000 || getCloneServer().version < 150_000)(
  'ON DELETE SET NULL of some columns [from PostgreSQL 15] (behaviour 5)',
  () => {
    let some: LinkedDatabases;
    beforeAll(async () => {
      some = await linkDatabases(`
        create schema test;
        create table test.place (country text, city text, primary key (country, city));
        create table test.visit (
          id integer primary key, country text not null, city text,
          foreign key (country, city) references test.place on delete set null (city)
        )`);
    });
    itHoldsBothWays(
      'sets those alone',
      () => some,
      `insert into test.place values ('fr', 'lyon')`,
      async ({ central, clone, sender, receiver, synchronise }) => {
        await sender.query('delete from test.place');
        await receiver.query(`insert into test.visit values (1, 'fr', 'lyon')`);
        await synchronise();
        await synchronise();
        await expectOnAll([central, clone], 'select country, city from test.visit', [{ country: 'fr', city: null }]);
      },
    );
  },
);
