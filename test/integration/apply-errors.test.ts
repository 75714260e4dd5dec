import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SynchronizeResult } from '../../src/core/sync.js';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { countFailures, failOnInsert, stopFailing } from '../support/failing-trigger.js';
import { type LinkedDatabases, linkDatabases, type Transport } from '../support/link.js';
import { refusal } from '../support/refusal.js';
import { expectNothingLeft, expectSynchronised, waitForBlocked } from '../support/synchronised.js';

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;

beforeAll(async () => {
  link = await linkDatabases(
    'create schema test; create table test.item (id integer primary key, name text, number integer)',
  );
  central = link.central;
  clone = link.clones[0] as TestDatabase;
});

beforeEach(async () => {
  for (const database of [central, clone]) await stopFailing(database);
  await link.reset(`insert into test.item values (1, 'first', 0), (2, 'second', 0)`);
});

interface Way {
  sending: 'clone' | 'central';
  transport: Transport;
}
const ways: Way[] = [
  { sending: 'clone', transport: 'cli' },
  { sending: 'clone', transport: 'sql' },
  { sending: 'central', transport: 'cli' },
  { sending: 'central', transport: 'sql' },
];
/** Each direction and each transport once. */
const twoWays: Way[] = [
  { sending: 'clone', transport: 'cli' },
  { sending: 'central', transport: 'sql' },
];

/** Each error in one way: what is done about it is the same in both. */
function inTurn(sqlstates: string[]): (Way & { sqlstate: string })[] {
  return sqlstates.map((sqlstate, number) => ({ sqlstate, ...(twoWays[number % 2] as Way) }));
}

function open({ sending, transport }: Way): {
  sender: TestDatabase;
  receiver: TestDatabase;
  sync: () => Promise<SynchronizeResult>;
} {
  const [sender, receiver] = sending === 'clone' ? [clone, central] : [central, clone];
  return { sender, receiver, sync: () => link.sync(clone, transport) };
}

function insert(database: TestDatabase): Promise<unknown> {
  return database.query(`insert into test.item values (3, 'new', 3); update test.item set number = 9 where id = 1`);
}

describe('an error that another try may pass (behaviour 11)', () => {
  const passing = inTurn(['40001', '40P01', '55P03', '40001']);

  it.each(passing)(
    '$sqlstate that stays ends the sync after a few tries (from the $sending, $transport)',
    async (way) => {
      const { sender, receiver, sync } = open(way);
      await failOnInsert(receiver, way.sqlstate, 1_000_000);
      await insert(sender);
      const startedAt = Date.now();
      expect(await refusal(sync())).toMatchObject({ sqlstate: way.sqlstate, exitCode: 1, message: 'on demand' });
      expect(Date.now() - startedAt).toBeLessThan(30_000);
      expect(await countFailures(receiver)).toBe(5);
      // nothing half applied, nothing left
      expect(await receiver.query('select id from test.item where id = 3 or number <> 0')).toEqual([]);
      expect(await receiver.query('select from lizsync.held_changes')).toEqual([]);
      await expectNothingLeft(receiver);
      await stopFailing(receiver);
      expect(await sync()).toMatchObject({ held: 0, conflicts: 0 });
      await expectSynchronised(link);
    },
  );

  it.each(['clone', 'central'] as const)(
    'goes to the caller of synchronize(), whose transaction it is, and the next call passes (from the %s)',
    async (sending) => {
      const { sender, receiver } = open({ sending, transport: 'sql' });
      await failOnInsert(receiver, '40001', 1);
      await insert(sender);
      await expect(clone.query('select * from lizsync.synchronize()')).rejects.toMatchObject({ code: '40001' });
      await expectNothingLeft(central);
      expect(await clone.query('select * from lizsync.synchronize()')).toHaveLength(1);
      await expectSynchronised(link);
    },
  );

  it.each(twoWays)('a deadlock with somebody else is tried again (from the $sending, $transport)', async (way) => {
    const { sender, receiver, sync } = open(way);
    await sender.query(`update test.item set number = 1`);
    const [first, second] = await receiver.query<{ id: number }>('select id from test.item order by uid');
    const writer = await receiver.connect();
    // a sync takes the rows in the order of their uid; this one takes them the other way round, and insists
    await writer.query(`set deadlock_timeout = '1h'; begin`);
    await writer.query(`update test.item set name = 'of the writer' where id = $1`, [second?.id]);
    const syncing = sync();
    await waitForBlocked(receiver);
    const insisting = writer.query(`update test.item set name = 'of the writer' where id = $1`, [first?.id]);
    await insisting;
    await writer.query('commit');
    await writer.end();
    expect(await syncing).toMatchObject({ conflicts: 0, held: 0 });
    await sync();
    expect(await receiver.query('select number, name from test.item')).toEqual(
      Array(2).fill({ number: 1, name: 'of the writer' }),
    );
    await expectSynchronised(link);
  });
});

describe('an error that is due to one row (behaviour 6)', () => {
  const ofRows = inTurn(['23502', '23503', '23505', '23514', '23P01', '22P02', '22003', 'P0001']);

  it.each(ofRows)('$sqlstate holds that row alone, and lets it go (from the $sending, $transport)', async (way) => {
    const { sender, receiver, sync } = open(way);
    await failOnInsert(receiver, way.sqlstate, 1_000_000);
    await insert(sender);
    expect(await sync()).toMatchObject({ held: 1, conflicts: 0 });
    expect(
      await receiver.query('select sqlstate, message, held_since is not null as dated from lizsync.held_changes'),
    ).toEqual([{ sqlstate: way.sqlstate, message: 'on demand', dated: true }]);
    expect(await receiver.query('select id, number from test.item order by id')).toEqual([
      { id: 1, number: 9 },
      { id: 2, number: 0 },
    ]);
    // a later change of the row is merged into what is held
    await sender.query(`update test.item set name = 'later' where id = 3`);
    expect(await sync()).toMatchObject({ held: 1 });
    await stopFailing(receiver);
    expect(await sync()).toMatchObject({ held: 0 });
    expect(await receiver.query('select name, number from test.item where id = 3')).toEqual([
      { name: 'later', number: 3 },
    ]);
    await sync();
    await expectSynchronised(link);
  });
});

describe('an error that is due to the server (behaviour 3)', () => {
  it.each(ways)('53100 is never reported as done (from the $sending, $transport)', async (way) => {
    const { sender, receiver, sync } = open(way);
    await sync();
    const finished = (database: TestDatabase): Promise<unknown> =>
      database.query('select sync_id from lizsync.history where finished_at is not null order by 1');
    const before = [await finished(central), await finished(clone)];
    await failOnInsert(receiver, '53100', 1_000_000);
    await insert(sender);
    const args = way.transport === 'sql' ? ['--via-clone'] : ['--central', central.url];
    const result = await runLizsync(['sync', '--clone', clone.url, ...args, '--retry', '3']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('error: on demand');
    expect(result.stderr).not.toContain('trying again');
    expect(await countFailures(receiver)).toBe(1);
    expect([await finished(central), await finished(clone)]).toEqual(before);
    expect(await receiver.query('select id from test.item where id = 3 or number <> 0')).toEqual([]);
    await expectNothingLeft(central);
    await expectNothingLeft(clone);
    await stopFailing(receiver);
    expect(await sync()).toMatchObject({ held: 0, conflicts: 0 });
    await expectSynchronised(link);
    expect(await finished(clone)).toHaveLength((before[1] as unknown[]).length + 1);
  });
});
