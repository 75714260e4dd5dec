import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { failOnInsert, stopFailing } from '../support/failing-trigger.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';
import { refusal } from '../support/refusal.js';
import { expectNothingLeft, expectSynchronised, waitUntil } from '../support/synchronised.js';

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;

beforeAll(async () => {
  link = await linkDatabases('create schema test; create table test.item (id integer primary key, name text)');
  central = link.central;
  clone = link.clones[0] as TestDatabase;
});

beforeEach(async () => {
  for (const database of [central, clone]) await stopFailing(database);
  await link.reset('');
});

describe('a sync that cannot know how far the other side is', () => {
  it.each((['central', 'clone'] as const).flatMap((side) => transports.map((transport) => ({ side, transport }))))(
    'is refused, never done with nothing (link missing in the $side, $transport)',
    async ({ side, transport }) => {
      const database = { central, clone }[side];
      await clone.query(`insert into test.item values (1, 'not sent')`);
      const session = await database.connect();
      await session.query(`
      begin;
      create table public.kept_links as table lizsync.links;
      create table public.kept_relations as table lizsync.link_relations;
      create table public.kept_history as table lizsync.history;
      delete from lizsync.link_relations; delete from lizsync.history; delete from lizsync.links;
      commit`);
      try {
        const error = await refusal(link.sync(clone, transport));
        expect(error.message).toMatch(side === 'central' ? /does not know the clone/ : /is no clone of a central/);
        expect(error.hint).toMatch(/[Dd]eploy/);
      } finally {
        await session.query(`
        begin;
        insert into lizsync.links select * from public.kept_links;
        insert into lizsync.link_relations select * from public.kept_relations;
        insert into lizsync.history select * from public.kept_history;
        drop table public.kept_links, public.kept_relations, public.kept_history;
        commit`);
        await session.end();
      }
      expect(await link.sync(clone, transport)).toMatchObject({ pushed: 1 });
      expect(await central.value('select name from test.item')).toBe('not sent');
    },
  );
});

describe('the history', () => {
  const lastSync = (database: TestDatabase): Promise<unknown[]> =>
    database.query(`
      select pushed::integer, pulled::integer, held::integer, finished_at is not null as finished
      from lizsync.history order by started_at desc limit 1`);

  it.each(transports)('says done only of a sync of which both halves were committed (%s)', async (transport) => {
    const before = await lastSync(clone);
    await clone.query(`insert into test.item values (1, 'from the clone')`);
    await central.query(`insert into test.item values (2, 'from the central')`);
    await failOnInsert(clone, '53100', 1);
    await refusal(link.sync(clone, transport));
    // the push is done and says so; the pull is not, on neither side
    expect(await lastSync(central)).toEqual([{ pushed: 1, pulled: null, held: 0, finished: false }]);
    expect(await lastSync(clone)).toEqual(before);
    await stopFailing(clone);
    expect(await link.sync(clone, transport)).toMatchObject({ pushed: 0, pulled: 1 });
    expect(await lastSync(clone)).toEqual([{ pushed: 0, pulled: 1, held: 0, finished: true }]);
  });

  it.each(transports)('counts what was held, with what was applied (%s)', async (transport) => {
    await failOnInsert(central, '23514', 1_000_000);
    await clone.query(`insert into test.item values (1, 'held')`);
    await link.sync(clone, transport);
    expect(await lastSync(clone)).toEqual([{ pushed: 0, pulled: 0, held: 1, finished: true }]);
    await stopFailing(central);
    await link.sync(clone, transport);
    expect(await lastSync(clone)).toEqual([{ pushed: 1, pulled: 0, held: 0, finished: true }]);
  });
});

describe('a session that synchronises again and again', () => {
  it('keeps no connection to the central, whether its syncs are done or fail', async () => {
    const session = await clone.connect();
    const sessions = `select count(*)::integer from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name like 'lizsync%'`;
    for (let round = 1; round <= 10; round += 1) {
      await clone.query('insert into test.item values ($1, $2)', [round, `round ${round}`]);
      if (round % 3 === 0) {
        await failOnInsert(central, '53100', 1);
        await expect(session.query('select lizsync.synchronize()')).rejects.toMatchObject({ code: '53100' });
        await stopFailing(central);
      } else if (round % 3 === 1) {
        await session.query('begin; select lizsync.synchronize(); rollback');
      } else {
        await session.query('select lizsync.synchronize()');
      }
      await waitUntil(central, `select (${sessions}) = 0`);
    }
    await session.query('select lizsync.synchronize()');
    await session.end();
    await expectNothingLeft(central);
    await expectSynchronised(link);
  });

  it('does not lengthen the lists of what is synchronised', async () => {
    const lists = (): Promise<unknown[]> =>
      Promise.all(
        [central, clone].flatMap((database) =>
          ['lizsync.links', 'lizsync.link_relations', 'audit.logged_relations'].map((table) =>
            database.value(`select count(*)::integer from ${table}`),
          ),
        ),
      );
    const before = await lists();
    for (const transport of [...transports, ...transports]) await link.sync(clone, transport);
    expect(await lists()).toEqual(before);
  });
});
