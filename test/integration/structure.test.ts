import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';
import { refusal } from '../support/refusal.js';
import { expectNothingLeft } from '../support/synchronised.js';

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;

beforeAll(async () => {
  link = await linkDatabases(`
    create schema test;
    create table test.item (id integer primary key, name text, size numeric(8, 2));
    create table test.other (id integer primary key, name text)`);
  central = link.central;
  clone = link.clones[0] as TestDatabase;
});

beforeEach(async () => {
  await link.reset(
    `insert into test.item (id, name, size) values (1, 'one', 1); insert into test.other values (1, 'one')`,
  );
});

const changes = [
  {
    what: 'a column was added',
    change: 'alter table test.item add column colour text',
    undo: 'alter table test.item drop column colour',
    names: ['test.item: column colour'],
  },
  {
    what: 'a column was dropped',
    change: 'alter table test.item drop column size',
    undo: 'alter table test.item add column size numeric(8, 2)',
    names: ['test.item: column size'],
  },
  {
    what: 'a column was renamed',
    change: 'alter table test.item rename column name to title',
    undo: 'alter table test.item rename column title to name',
    names: ['test.item: column name', 'test.item: column title'],
  },
  {
    what: 'a column has another type',
    change: 'alter table test.item alter column name type varchar(40)',
    undo: 'alter table test.item alter column name type text',
    names: ['test.item: column name', 'character varying(40)'],
  },
  {
    what: 'a number may have other digits',
    change: 'alter table test.item alter column size type numeric(6, 0)',
    undo: 'alter table test.item alter column size type numeric(8, 2)',
    names: ['test.item: column size', 'numeric(6,0)'],
  },
  {
    what: 'a table is missing',
    change: 'alter table test.item rename to gone',
    undo: 'alter table test.gone rename to item',
    names: ['test.item'],
  },
];
const cases = changes.flatMap((change, number) =>
  (['central', 'clone'] as const).map((side) => ({ ...change, side, transport: transports[number % 2] ?? 'cli' })),
);

describe('a structure that differs (behaviour 9)', () => {
  it.each(cases)('is refused before anything is changed: $what (in the $side, $transport)', async (way) => {
    const { side, transport, change, undo, names } = way;
    await clone.query(`update test.item set name = 'of the clone'; update test.other set name = 'of the clone'`);
    await central.query(
      `insert into test.item (id, name, size) values (2, 'of central', 2); insert into test.other values (2, 'two')`,
    );
    await { central, clone }[side].query(change);
    const history = (): Promise<unknown[]> =>
      Promise.all([central, clone].map((database) => database.value('select count(*) from lizsync.history')));
    const before = [await link.contents(central), await link.contents(clone), await history()];

    const error = await refusal(link.sync(clone, transport));
    expect(error.exitCode).toBe(1);
    const text = [error.message, ...error.details].join('\n');
    for (const name of names) expect(text).toContain(name);
    expect(text).not.toContain('test.other');
    expect(error.hint).toMatch(/package.*deploy|deploy.*package/s);
    expect(error.hint).toContain('--tables');
    expect([await link.contents(central), await link.contents(clone), await history()]).toEqual(before);
    await expectNothingLeft(central);
    await expectNothingLeft(clone);

    // what is still equal can be sent
    expect(await link.sync(clone, transport, ['test.other'])).toMatchObject({ pushed: 1, pulled: 1 });
    expect(await central.value('select name from test.other where id = 1')).toBe('of the clone');
    await { central, clone }[side].query(undo);
    // a dropped column has lost its values on that side: nothing to compare
    const result = await link.sync(clone, transport);
    expect(result).toMatchObject({ pushed: 1, pulled: 1, held: 0 });
    expect(await central.value('select name from test.item where id = 1')).toBe('of the clone');
    expect(await clone.value('select name from test.item where id = 2')).toBe('of central');
  });
});
