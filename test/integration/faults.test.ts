import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SynchronizeResult } from '../../src/core/sync.js';
import { withConnection } from '../../src/db/connection.js';
import { LizsyncError } from '../../src/errors.js';
import type { TestDatabase } from '../support/database.js';
import { failOnInsert, stopFailing } from '../support/failing-trigger.js';
import { createFaultyLink, type FaultyLink } from '../support/faulty-link.js';
import { type Transport, transports } from '../support/link.js';
import { toSettings } from '../support/settings.js';
import { expectNothingLeft, expectSynchronised, waitForBlocked, waitUntil } from '../support/synchronised.js';

const firstItems = `insert into test.item (name, number) select 'first ' || n, n from generate_series(1, 5) as n`;

// one link for all tests: making one takes longer than most of them
let shared: FaultyLink;
beforeAll(async () => {
  shared = await createFaultyLink();
});

/** The link with nothing in its tables but these rows, and without what a test that failed has left open. */
async function renewLink(rows = ''): Promise<FaultyLink> {
  const { central, clone } = shared;
  shared.repair();
  for (const database of [central, clone]) {
    await database.close();
    await stopFailing(database);
  }
  await shared.reset(rows);
  return shared;
}

type Side = 'central' | 'clone';
const ways = (['central', 'clone'] as Side[]).flatMap((side) => transports.map((transport) => ({ side, transport })));

interface World {
  /** Where the test changes something. */
  here: TestDatabase;
  there: TestDatabase;
  central: TestDatabase;
  clone: TestDatabase;
  sync(): Promise<SynchronizeResult>;
  expectAllEqual(): Promise<void>;
}

async function createWorld({ side, transport }: { side: Side; transport: Transport }): Promise<World> {
  const { central, clone } = await renewLink(firstItems);
  const [here, there] = side === 'central' ? [central, clone] : [clone, central];
  return {
    here,
    there,
    central,
    clone,
    sync: () => shared.sync(clone, transport),
    expectAllEqual: () => expectSynchronised(shared),
  };
}

async function namesIn(database: TestDatabase, pattern: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>('select name from test.item where name like $1 order by name', [
    pattern,
  ]);
  return rows.map(({ name }) => name);
}

async function getError(work: Promise<unknown>): Promise<LizsyncError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LizsyncError);
  return error as LizsyncError;
}

/** Begins a transaction that changes something; the caller ends it. */
async function beginWriting(database: TestDatabase, sql: string): Promise<pg.Client> {
  const client = await database.connect();
  await client.query('begin');
  await client.query(sql);
  return client;
}

describe('late commits (behaviour 1)', () => {
  it.each(ways)('arrive once, however long they run, and delay nobody ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    const long = await beginWriting(here, `insert into test.item (name) values ('late: long')`);
    const short = await beginWriting(here, `insert into test.item (name) values ('late: short')`);
    await here.query(`insert into test.item (name) values ('late: other')`);
    await sync();
    expect(await namesIn(there, 'late:%')).toEqual(['late: other']);

    await short.query('commit');
    await here.query(`insert into test.item (name) values ('late: second')`);
    await sync();
    expect(await namesIn(there, 'late:%')).toEqual(['late: other', 'late: second', 'late: short']);

    await sync();
    await long.query(`update test.item set number = 7 where name = 'late: long'`);
    await long.query('commit');
    expect(await sync()).toMatchObject({ pushed: way.side === 'clone' ? 1 : 0, pulled: way.side === 'clone' ? 0 : 1 });
    expect(await sync()).toMatchObject({ pushed: 0, pulled: 0 });
    await expectAllEqual();
  });

  it.each(ways)('arrive once when they commit while a sync applies ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    await here.query(`update test.item set number = 100 where name = 'first 1'`);
    const late = await beginWriting(here, `insert into test.item (name) values ('late: during')`);
    // the receiver waits for this row, when it has been sent everything
    const holder = await beginWriting(there, `update test.item set other = 1 where name = 'first 1'`);
    const syncing = sync();
    await waitForBlocked(there);
    await late.query('commit');
    await here.query(`insert into test.item (name) values ('late: after')`);
    await holder.query('commit');
    await syncing;
    await sync();
    expect(await namesIn(there, 'late:%')).toEqual(['late: after', 'late: during']);
    await sync();
    await expectAllEqual();
  });

  it.each(ways.filter(({ side, transport }) => (side === 'clone') === (transport === 'cli')))(
    'that lock a row for long hold up that row alone ($side, $transport)',
    async (way) => {
      const { here, there, sync, expectAllEqual } = await createWorld(way);
      const long = await beginWriting(there, `update test.item set other = 1 where name in ('first 1', 'first 2')`);
      await here.query(`update test.item set number = 100 where name = 'first 1'`);
      await here.query(`delete from test.item where name = 'first 2'`);
      await here.query(`insert into test.item (name) values ('late: other')`);
      expect(await sync()).toMatchObject({ held: 2 });
      expect(await namesIn(there, 'late:%')).toEqual(['late: other']);
      expect(await there.query('select sqlstate from lizsync.held_changes')).toEqual(
        Array(2).fill({ sqlstate: '55P03' }),
      );
      await long.query('commit');
      await sync();
      expect(await sync()).toMatchObject({ held: 0 });
      expect(await there.query(`select number, other from test.item where name = 'first 1'`)).toEqual([
        { number: 100, other: 1 },
      ]);
      await sync();
      await expectAllEqual();
    },
  );

  it.each(ways)('arrive once when they were prepared for two-phase commit ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    const name = `lizsync test ${here.name}`;
    const client = await beginWriting(here, `insert into test.item (name) values ('late: prepared')`);
    await client.query(`prepare transaction '${name}'`);
    await here.query(`insert into test.item (name) values ('late: other')`);
    await sync();
    expect(await namesIn(there, 'late:%')).toEqual(['late: other']);
    await client.query(`commit prepared '${name}'`);
    await sync();
    expect(await namesIn(there, 'late:%')).toEqual(['late: other', 'late: prepared']);
    await sync();
    await expectAllEqual();
  });

  it.each(ways)('never arrive when they are rolled back, in whole or in part ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    const whole = await beginWriting(here, `insert into test.item (name) values ('late: whole')`);
    const part = await beginWriting(here, `insert into test.item (name) values ('late: kept')`);
    await part.query('savepoint a');
    await part.query(`insert into test.item (name) values ('late: not kept')`);
    await sync();
    await part.query('rollback to savepoint a');
    await part.query(`savepoint b; insert into test.item (name) values ('late: kept, too'); release savepoint b`);
    await part.query('commit');
    await whole.query('rollback');
    await sync();
    expect(await namesIn(there, 'late:%')).toEqual(['late: kept', 'late: kept, too']);
    await sync();
    await expectAllEqual();
  });
});

describe('edits during a sync (behaviour 2)', () => {
  it.each(ways)('are neither erased nor swallowed where changes arrive ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    await here.query(`update test.item set number = 100 where name = 'first 1'`);
    const holder = await beginWriting(there, `update test.item set other = 11 where name = 'first 1'`);
    const syncing = sync();
    await waitForBlocked(there);
    await there.query(`update test.item set number = 22 where name = 'first 2'`);
    await there.query(`insert into test.item (name) values ('during: insert')`);
    await there.query(`delete from test.item where name = 'first 3'`);
    await here.query(`update test.item set number = 44 where name = 'first 4'`);
    await here.query(`insert into test.item (name) values ('during: insert here')`);
    await holder.query('commit');
    expect(await syncing).toMatchObject({ conflicts: 0 });
    expect(await sync()).toMatchObject({ conflicts: 0 });
    for (const database of [here, there]) {
      expect(
        await database.query(`select name, number, other from test.item where name not like 'first 5' order by name`),
      ).toEqual([
        { name: 'during: insert', number: null, other: null },
        { name: 'during: insert here', number: null, other: null },
        { name: 'first 1', number: 100, other: 11 },
        { name: 'first 2', number: 22, other: null },
        { name: 'first 4', number: 44, other: null },
      ]);
    }
    await expectAllEqual();
  });

  it.each(ways)('of a value that is on its way are decided by the later time ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    await here.query(`update test.item set number = 100, other = 100 where name = 'first 1'`);
    const holder = await beginWriting(there, `update test.item set number = 200 where name = 'first 1'`);
    const syncing = sync();
    await waitForBlocked(there);
    await holder.query('commit');
    expect((await syncing).conflicts).toBe(1);
    await sync();
    for (const database of [here, there]) {
      expect(await database.query(`select number, other from test.item where name = 'first 1'`)).toEqual([
        { number: 200, other: 100 },
      ]);
    }
    expect(await there.query('select kind, winning_values, losing_values from lizsync.conflicts')).toMatchObject([
      { kind: 'update_update', winning_values: '"number"=>"200"', losing_values: '"number"=>"100"' },
    ]);
    await expectAllEqual();
  });

  it.each(ways)('that delete a row whose change is on its way leave it deleted ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    await here.query(`update test.item set number = 100 where name = 'first 1'`);
    const holder = await beginWriting(there, `delete from test.item where name = 'first 1'`);
    const syncing = sync();
    await waitForBlocked(there);
    await holder.query('commit');
    expect(await syncing).toMatchObject({ conflicts: 1, held: 0 });
    await sync();
    expect(await namesIn(here, 'first 1')).toEqual([]);
    expect(await namesIn(there, 'first 1')).toEqual([]);
    await expectAllEqual();
  });

  it.each(ways)('of a row whose deletion is on its way are recorded as lost ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    await here.query(`delete from test.item where name = 'first 1'`);
    const holder = await beginWriting(there, `update test.item set number = 300 where name = 'first 1'`);
    const syncing = sync();
    await waitForBlocked(there);
    await holder.query('commit');
    expect(await syncing).toMatchObject({ conflicts: 1, held: 0 });
    await sync();
    expect(await there.query('select kind, losing_values from lizsync.conflicts')).toEqual([
      { kind: 'delete_update', losing_values: '"number"=>"300"' },
    ]);
    await expectAllEqual();
  });

  it.each(transports)('on both sides, row by row, by many writers, all arrive (%s)', async (transport) => {
    const { here, there, sync, expectAllEqual } = await createWorld({ side: 'clone', transport });
    let writing = true;
    const write = async (database: TestDatabase, name: string): Promise<number> => {
      let number = 0;
      while (writing) {
        number += 1;
        await database.query(`insert into test.item (name, number) values ('${name}', ${number})`);
      }
      return number;
    };
    const writers = Promise.all([write(here, 'w1'), write(here, 'w2'), write(there, 'w3'), write(there, 'w4')]);
    for (let number = 0; number < 5; number += 1) await sync();
    writing = false;
    const written = await writers;
    await sync();
    for (const database of [here, there]) {
      const counts = await database.query<{ count: number }>(
        `select count(*)::integer from test.item where name like 'w_' group by name order by name`,
      );
      expect(counts.map(({ count }) => count)).toEqual(written);
    }
    await expectAllEqual();
  });
});

/** Where the tests interrupt a sync: it waits there for a lock. */
const places = [
  { place: 'the push', table: 'test.item', at: 'central' },
  { place: 'the end of the push', table: 'lizsync.history', at: 'central' },
  { place: 'the pull', table: 'test.item', at: 'clone' },
  { place: 'the end of the pull', table: 'lizsync.history', at: 'clone' },
] as const;
const interruptions = places.flatMap((where) => transports.map((transport) => ({ ...where, transport })));

/** Starts a sync, waits until it is at a place, and does something. */
async function interrupt(
  link: FaultyLink,
  { at, table, transport }: (typeof interruptions)[number],
  action: (database: TestDatabase) => Promise<unknown>,
): Promise<LizsyncError> {
  const database = link[at];
  const holder = await beginWriting(database, `lock table ${table} in exclusive mode`);
  const syncing = getError(link.synchronise(transport));
  await waitForBlocked(database);
  await action(database);
  const error = await syncing;
  await holder.query('rollback');
  await holder.end();
  return error;
}

async function expectCompletion(link: FaultyLink, transport: Transport): Promise<void> {
  await expectNothingLeft(link.central);
  await expectNothingLeft(link.clone);
  expect(await link.synchronise(transport)).toMatchObject({ conflicts: 0, held: 0 });
  await expectSynchronised(link);
}

const blocked = `from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`;

describe('a sync that is interrupted (behaviour 3)', () => {
  it.each(transports)('is completed by the next one when a backend was terminated (%s)', async (transport) => {
    const link = await renewLink();
    for (const where of places) {
      await link.change();
      await interrupt(link, { ...where, transport }, (database) =>
        database.query(`select pg_terminate_backend(pid) ${blocked}`),
      );
      await expectCompletion(link, transport);
    }
  });

  it.each(transports)('is completed by the next one when its statement was cancelled (%s)', async (transport) => {
    const link = await renewLink();
    for (const where of places) {
      await link.change();
      const error = await interrupt(link, { ...where, transport }, (database) =>
        database.query(`select pg_cancel_backend(pid) ${blocked}`),
      );
      expect(error).toMatchObject({ sqlstate: '57014' });
      await expectCompletion(link, transport);
    }
  });

  it('leaves no session on the central when the caller of synchronize() was cancelled while that worked', async () => {
    const link = await renewLink();
    const { central, clone } = link;
    await link.change();
    const holder = await beginWriting(central, 'lock table test.item in exclusive mode');
    const caller = await clone.connect();
    const { pid } = (await caller.query('select pg_backend_pid() as pid')).rows[0];
    const calling = caller.query('select lizsync.synchronize()').then(
      () => undefined,
      (error: unknown) => error,
    );
    await waitForBlocked(central);
    await clone.query('select pg_cancel_backend($1)', [pid]);
    // dblink hears of it when the central answers
    await holder.query('rollback');
    expect(await calling).toMatchObject({ code: '57014' });
    // the caller's session goes on, and another one, of a pool for instance, synchronises
    await expectCompletion(link, 'cli');
    expect((await caller.query('select number_conflicts from lizsync.synchronize()')).rowCount).toBe(1);
    await caller.end();
  });

  it('leaves no session on the central when a statement_timeout ended synchronize()', async () => {
    const link = await renewLink();
    await link.change();
    const holder = await beginWriting(link.central, 'lock table test.item in exclusive mode');
    const caller = await link.clone.connect({ options: '-c statement_timeout=1000' });
    const calling = caller.query('select lizsync.synchronize()').then(
      () => undefined,
      (error: unknown) => error,
    );
    await waitForBlocked(link.central);
    await waitUntil(
      link.clone,
      `select clock_timestamp() > query_start + interval '1 second' from pg_stat_activity where query like '%synchronize()'
         and datname = current_database() and pid <> pg_backend_pid()`,
    );
    await holder.query('rollback');
    expect(await calling).toMatchObject({ code: '57014' });
    await expectCompletion(link, 'cli');
    await caller.end();
  });

  const endings = [
    { ending: 'a rollback', begin: 'begin', end: 'rollback' },
    { ending: 'a rollback to a savepoint', begin: 'begin; savepoint s', end: 'rollback to savepoint s; commit' },
    { ending: 'an error afterwards', begin: 'begin', end: 'do $$ begin raise exception $e$stop$e$; end $$' },
  ];
  it.each(endings)(
    'pushes once and pulls again after $ending of the caller of synchronize()',
    async ({ begin, end }) => {
      const link = await renewLink();
      await link.change();
      const caller = await link.clone.connect();
      await caller.query(begin);
      await caller.query('select lizsync.synchronize()');
      await caller.query(end).catch(() => caller.query('rollback'));
      expect(await namesIn(link.central, 'clone%')).toHaveLength(3);
      expect(await namesIn(link.clone, 'central%')).toHaveLength(0);
      await expectCompletion(link, 'sql');
      await link.change();
      await expectCompletion(link, 'cli');
    },
  );

  it('goes on after the caller of synchronize() has caught an error in a block and went on', async () => {
    const link = await renewLink();
    await link.change();
    await link.clone.query(`do $do$
      begin
        begin
          perform lizsync.synchronize();
          perform 1 / 0;
        exception when division_by_zero then
          insert into test.item (name) values ('after the error');
        end;
      end $do$`);
    expect(await namesIn(link.central, 'clone%')).toHaveLength(3);
    await expectCompletion(link, 'sql');
    expect(await namesIn(link.central, 'after%')).toHaveLength(1);
  });

  it('retries within one transaction after an error that its caller caught', async () => {
    const link = await renewLink();
    await link.change();
    await link.clone.query(`do $do$
      begin
        begin
          perform lizsync.synchronize();
          perform 1 / 0;
        exception when division_by_zero then
          perform lizsync.synchronize();
        end;
      end $do$`);
    await expectSynchronised(link);
  });

  it.each(transports)(
    'ends in an error, not in a hang, when the central refuses connections (%s)',
    async (transport) => {
      const link = await renewLink();
      await link.change();
      link.centralLine.cutAfter('toServer', 1);
      expect((await getError(link.synchronise(transport))).message).toMatch(/central|connection/);
      link.repair();
      await expectCompletion(link, transport);
    },
  );
});

describe('uncommitted work of the caller (behaviour 3)', () => {
  it('is not sent by synchronize(), and is sent by the next sync once it is committed', async () => {
    const { central, clone, sync, expectAllEqual } = await createWorld({ side: 'clone', transport: 'sql' });
    const caller = await clone.connect();
    for (const end of ['rollback', 'commit']) {
      await central.query(`insert into test.item (name) values ('before ${end}')`);
      await caller.query(`begin; update test.item set number = 1000 where name = 'first 1'`);
      await caller.query('select lizsync.synchronize()');
      await caller.query(`update test.item set other = 1000 where name = 'first 2'`);
      expect(await central.value(`select max(number) from test.item`)).toBe(5);
      await caller.query(end);
      expect(await central.value(`select max(number) from test.item`)).toBe(5);
    }
    expect(await sync()).toMatchObject({ pushed: 2, pulled: 0 });
    expect(await central.value(`select number from test.item where name = 'first 1'`)).toBe(1000);
    expect(await central.value(`select other from test.item where name = 'first 2'`)).toBe(1000);
    await expectAllEqual();
  });

  it('meets a change of the central to the same row as any other edit during a sync', async () => {
    const { central, clone, sync, expectAllEqual } = await createWorld({ side: 'clone', transport: 'sql' });
    await central.query(`update test.item set number = 10, other = 10 where name = 'first 1'`);
    const caller = await beginWriting(clone, `update test.item set number = 20 where name = 'first 1'`);
    const result = await caller.query('select number_conflicts::integer as conflicts from lizsync.synchronize()');
    expect(result.rows).toEqual([{ conflicts: 1 }]);
    await caller.query('commit');
    await sync();
    for (const database of [central, clone]) {
      expect(await database.query(`select number, other from test.item where name = 'first 1'`)).toEqual([
        { number: 20, other: 10 },
      ]);
    }
    await expectAllEqual();
  });
});

describe('errors while changes are applied (behaviours 3, 6 and 11)', () => {
  const passing = ['40001', '40P01', '55P03'].flatMap((sqlstate) =>
    (['central', 'clone'] as Side[]).map((side) => ({ sqlstate, side })),
  );
  it.each(passing)('$sqlstate in the $side is tried again, with a pause', async ({ sqlstate, side }) => {
    const world = await createWorld({ side: side === 'central' ? 'clone' : 'central', transport: 'cli' });
    const { here, there, sync, expectAllEqual } = world;
    await failOnInsert(there, sqlstate, 2);
    await here.query(`insert into test.item (name) values ('passes')`);
    expect(await sync()).toMatchObject({ held: 0, conflicts: 0 });
    expect(await namesIn(there, 'passes')).toHaveLength(1);
    await expectAllEqual();
  });

  it.each(transports)('53100 fails cleanly, and the next sync completes the work (%s)', async (transport) => {
    for (const side of ['central', 'clone'] as Side[]) {
      const { here, there, sync, expectAllEqual } = await createWorld({ side, transport });
      await failOnInsert(there, '53100', 1);
      await here.query(`insert into test.item (name) values ('passes')`);
      expect(await getError(sync())).toMatchObject({ sqlstate: '53100', message: 'on demand' });
      await expectNothingLeft(there);
      expect(await namesIn(there, 'passes')).toHaveLength(0);
      expect(await sync()).toMatchObject({ held: 0 });
      expect(await namesIn(there, 'passes')).toHaveLength(1);
      await expectAllEqual();
    }
  });

  it.each(ways)('23514 is held with its message until the cause is gone ($side, $transport)', async (way) => {
    const { here, there, sync, expectAllEqual } = await createWorld(way);
    await failOnInsert(there, '23514', 1_000_000);
    await here.query(`insert into test.item (name) values ('held')`);
    await here.query(`update test.item set number = 55 where name = 'first 5'`);
    expect(await sync()).toMatchObject({ held: 1 });
    expect(await there.query('select sqlstate, message from lizsync.held_changes')).toEqual([
      { sqlstate: '23514', message: 'on demand' },
    ]);
    expect(await there.value(`select number from test.item where name = 'first 5'`)).toBe(55);
    expect(await sync()).toMatchObject({ held: 1 });
    await stopFailing(there);
    expect(await sync()).toMatchObject({ held: 0 });
    expect(await namesIn(there, 'held')).toHaveLength(1);
    await expectAllEqual();
  });
});

describe('what a sync costs (behaviour 12)', () => {
  it('asks each server at most 8 times, with 10,000 changes as with none', async () => {
    const link = await renewLink();
    const { centralLine, cloneLine, central, clone } = link;
    await link.synchronise();
    for (const line of [centralLine, cloneLine]) line.reset();
    for (const [line, database] of [
      [centralLine, central],
      [cloneLine, clone],
    ] as const) {
      await withConnection(toSettings(line.urlOf(database)), async () => {});
    }
    // what it takes to come and go
    const visits = { central: centralLine.passed.turns, clone: cloneLine.passed.turns };
    const turns: { central: number; clone: number }[] = [];
    for (const count of [0, 1, 10_000]) {
      for (const database of [central, clone]) {
        await database.query(`insert into test.item (name) select 'many ' || n from generate_series(1, ${count}) as n`);
      }
      link.repair();
      expect(await link.synchronise()).toMatchObject({ pushed: count, pulled: count });
      turns.push({
        central: centralLine.passed.turns - visits.central,
        clone: cloneLine.passed.turns - visits.clone,
      });
    }
    for (const { central: ofCentral, clone: ofClone } of turns) {
      expect(ofCentral).toBeLessThanOrEqual(8);
      expect(ofClone).toBeLessThanOrEqual(8);
    }
    expect(turns[2]).toEqual(turns[1]);
    expect(await link.contents(clone)).toEqual(await link.contents(central));
  });
});

describe('clocks (behaviour 8)', () => {
  it('are compared at the middle of a round trip, so that a slow line does not count', async () => {
    const link = await renewLink();
    for (const line of [link.centralLine, link.cloneLine]) {
      link.repair();
      line.delay('toServer', 50);
      line.delay('toClient', 50);
      expect(Math.abs((await link.synchronise()).clock_offset_ms)).toBeLessThan(45);
    }
    link.repair();
    link.centralLine.delay('toServer', 50);
    link.centralLine.delay('toClient', 50);
    expect(Math.abs((await link.synchronise('sql')).clock_offset_ms)).toBeLessThan(45);
  });

  /** The clone's clock is so far ahead: that is how the changes it has not sent are dated. */
  async function shiftClock(clone: TestDatabase, interval: string): Promise<void> {
    await clone.query(`
      update audit.logged_actions set changed_at = changed_at + interval '${interval}' where origin_server_id is null`);
  }

  it.each(['1 day', '-1 day'])('that are wrong by %s do not win against who has seen the value', async (interval) => {
    const { central, clone, sync, expectAllEqual } = await createWorld({ side: 'clone', transport: 'cli' });
    const second = `update test.item set number = $1 where name = 'first 1'`;
    await clone.query(second, [1]);
    await shiftClock(clone, interval);
    await sync();
    // made after seeing it, on the other side, and back again
    await central.query(second, [2]);
    await sync();
    expect(await clone.value(`select number from test.item where name = 'first 1'`)).toBe(2);
    await clone.query(second, [3]);
    await shiftClock(clone, interval);
    await sync();
    expect(await central.value(`select number from test.item where name = 'first 1'`)).toBe(3);
    expect(await central.value('select count(*)::integer from lizsync.conflicts')).toBe(0);
    await expectAllEqual();
  });

  it('a day ahead converge, and their changes count as made now at the latest', async () => {
    const { central, clone, sync, expectAllEqual } = await createWorld({ side: 'clone', transport: 'cli' });
    await clone.query(`update test.item set number = 11 where name in ('first 1', 'first 2')`);
    await central.query(`update test.item set number = 12 where name = 'first 1'`);
    await shiftClock(clone, '1 day');
    expect((await sync()).conflicts).toBe(1);
    expect(await central.value('select max(corrected_at) <= clock_timestamp() from audit.logged_actions')).toBe(true);
    await sync();
    await expectAllEqual();
  });
});
