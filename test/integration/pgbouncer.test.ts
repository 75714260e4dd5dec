import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { compare } from '../../src/core/compare.js';
import { deploy } from '../../src/core/deploy.js';
import { createPackage } from '../../src/core/package.js';
import { type SynchronizeResult, synchronize } from '../../src/core/sync.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, type Transport, transports } from '../support/link.js';
import { type Pgbouncer, startPgbouncer } from '../support/pgbouncer.js';
import { describeWithPgbouncer } from '../support/requirements.js';
import { getCloneServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { expectNothingLeft, expectSynchronised } from '../support/synchronised.js';

const cloneCount = 6;
const tables = `
  create schema test;
  create table test.item (uid uuid primary key default gen_random_uuid(), name text unique, day date, number integer);
  create table test.part (id serial primary key, item uuid references test.item on delete cascade, name text);
`;

describeWithPgbouncer('Through pgbouncer in transaction mode', () => {
  let link: LinkedDatabases;
  let fresh: TestDatabase;
  let narrow: Pgbouncer;
  let wide: Pgbouncer;

  beforeAll(async () => {
    link = await linkDatabases(tables, { cloneCount });
    fresh = await createDatabase(getCloneServer(), { name: 'fresh' });
    const databases = [link.central, ...link.clones, fresh];
    narrow = await startPgbouncer(databases, 1);
    wide = await startPgbouncer(databases, 2);
  });

  beforeEach(() =>
    link.reset(`insert into test.item (name, day) select 'item ' || n, '2001-02-03' from generate_series(1, 30) as n`),
  );

  /** Lets the clone reach its central through this pooler. Not while it synchronises: PostgreSQL changes a server once at a time. */
  const pointTo = async (pooler: Pgbouncer, clone: TestDatabase): Promise<void> => {
    const { hostname, port } = new URL(pooler.urlOf(link.central));
    const isThere = await clone.value(
      `select srvoptions @> array['host=' || $1, 'port=' || $2] from pg_foreign_server where srvname = 'lizsync_central'`,
      [hostname, port],
    );
    if (!isThere)
      await clone.query(`alter server lizsync_central options (set host '${hostname}', set port '${port}')`);
  };
  const syncThrough = async (
    pooler: Pgbouncer,
    clone: TestDatabase,
    transport: Transport,
  ): Promise<SynchronizeResult> => {
    await pointTo(pooler, clone);
    return synchronize({
      central: toSettings(pooler.urlOf(link.central)),
      clone: toSettings(pooler.urlOf(clone)),
      viaClone: transport === 'sql',
    });
  };
  const changeBoth = async (clone: TestDatabase, number: number): Promise<void> => {
    await clone.query(`
      insert into test.item (name, day, number) values ('of clone ${number}', '2002-03-04', 1);
      insert into test.part (item, name) select uid, 'clone ${number}' from test.item where name = 'item ${number}';
      update test.item set number = ${100 + number} where name = 'item ${number}'`);
    await link.central.query(`
      insert into test.item (name, day, number) values ('of central ${number}', '2003-04-05', 2);
      delete from test.item where name = 'item ${number + 10}'`);
  };
  const firstClone = (): TestDatabase => {
    const [clone] = link.clones;
    if (!clone) throw new Error('a clone is needed');
    return clone;
  };
  /** The rest of the clones get what this one has sent, directly. */
  const catchUp = async (): Promise<void> => {
    for (const clone of [...link.clones, ...link.clones]) await link.sync(clone);
  };

  test('a large sync is committed part by part, in sessions that others have left in disorder', async () => {
    const clone = firstClone();
    const insert = (name: string): string =>
      `insert into test.item (name, day) select '${name} ' || n || repeat('x', 200), '2001-02-03' from generate_series(1, 3000) as n`;
    await clone.query(insert('of the clone'));
    await link.central.query(insert('of the central'));
    for (const database of [link.central, clone]) {
      await throughPooler(narrow, database, async (query) => {
        await query(`set datestyle = 'German'; set timezone = 'Asia/Tokyo'; set search_path = nonsense`);
        await query('set lock_timeout = 1; set default_transaction_read_only = on');
        await query(`set default_transaction_isolation = 'serializable'`);
      });
    }
    expect(await syncThrough(narrow, clone, 'cli')).toMatchObject({
      pushed: 3000,
      pulled: 3000,
      conflicts: 0,
      held: 0,
    });
    for (const database of [link.central, clone]) {
      await throughPooler(narrow, database, async (query) => {
        await query('discard all');
      });
    }
    await catchUp();
    await closeSessions(link);
    await expectSynchronised(link);
  });

  describe.each(transports)('by %s', (transport) => {
    test('a sync carries changes both ways, with one session in each database', async () => {
      const clone = firstClone();
      for (let number = 1; number <= 3; number += 1) {
        await changeBoth(clone, number);
        expect(await syncThrough(narrow, clone, transport)).toMatchObject({
          pushed: 3,
          pulled: 2,
          conflicts: 0,
          held: 0,
        });
      }
      expect(await syncThrough(narrow, clone, transport)).toMatchObject({ pushed: 0, pulled: 0 });
      await catchUp();
      await expectSessionsUnused(link, narrow, clone);
    });

    test('a sync is not disturbed by what others have left behind in the sessions', async () => {
      const clone = firstClone();
      await changeBoth(clone, 1);
      for (const database of [link.central, clone]) {
        await throughPooler(narrow, database, async (query) => {
          await query(
            `set datestyle = 'German'; set timezone = 'Asia/Tokyo'; set extra_float_digits = -5; set bytea_output = 'escape'`,
          );
          await query(`set search_path = nonsense; set lock_timeout = 1; set quote_all_identifiers = on`);
          await query('prepare lizsync as select 1');
          await query('create temporary table item (uid text)');
        });
      }
      try {
        expect(await syncThrough(narrow, clone, transport)).toMatchObject({
          pushed: 3,
          pulled: 2,
          conflicts: 0,
          held: 0,
        });
      } finally {
        for (const database of [link.central, clone]) {
          await throughPooler(narrow, database, async (query) => {
            // it is the same session, and nobody has tidied it up
            expect(await query('show search_path')).toEqual([{ search_path: 'nonsense' }]);
            await query('discard all');
          });
        }
      }
      await catchUp();
      await closeSessions(link);
      await expectSynchronised(link);
    });

    test('several clones synchronise at the same time, although there are fewer sessions than clones', async () => {
      for (const [index, clone] of link.clones.entries()) await changeBoth(clone, index + 1);
      const results = await Promise.all(link.clones.map((clone) => syncThrough(wide, clone, transport)));
      for (const result of results) expect(result).toMatchObject({ pushed: 3, conflicts: 0, held: 0 });
      await catchUp();
      await closeSessions(link);
      await expectSynchronised(link);
    });

    test('a second sync of the same clone is refused or waits its turn, and nothing is carried twice', async () => {
      const clone = firstClone();
      await changeBoth(clone, 1);
      await pointTo(wide, clone);
      // each half of a sync is in the history of its receiver when it is committed, whatever became of the other half
      const carried = async (): Promise<number[]> => [
        await link.central.value<number>('select sum(pushed)::integer from lizsync.history'),
        await clone.value<number>('select sum(pulled)::integer from lizsync.history'),
      ];
      const [pushed = 0, pulled = 0] = await carried();
      const results = await Promise.allSettled([1, 2, 3].map(() => syncThrough(wide, clone, transport)));
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ exitCode: 4 });
      await link.sync(clone);
      expect(await carried()).toEqual([pushed + 3, pulled + 2]);
      await catchUp();
      await closeSessions(link);
      await expectSynchronised(link);
    });
  });

  test('a clone can be packaged, deployed, synchronised and compared', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'lizsync-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const archive = path.join(folder, 'package.zip');
    // package reads the tables in a second session
    const central = toSettings(wide.urlOf(link.central));
    const clone = toSettings(wide.urlOf(fresh));
    await createPackage({ central, schemas: ['test'], output: archive });
    await deploy({ archive, central, clone, name: 'fresh' });
    await fresh.query(`update test.item set number = 7 where name = 'item 20'`);
    expect(await synchronize({ central, clone })).toMatchObject({ pushed: 1, held: 0 });
    expect(await synchronize({ central, clone, viaClone: true })).toMatchObject({ pushed: 0, pulled: 0 });
    expect(await compare({ central, clone })).toMatchObject({ equal: true });
    await closeSessions(link, fresh);
    await expectNothingLeft(fresh);
  });
});

/** Works with the only session that a pooler has in a database. */
async function throughPooler(
  pooler: Pgbouncer,
  database: TestDatabase,
  work: (query: (sql: string) => Promise<unknown[]>) => Promise<void>,
): Promise<void> {
  const client = await database.connect({ connectionString: pooler.urlOf(database) });
  try {
    await work(async (sql) => (await client.query(sql)).rows ?? []);
  } finally {
    await client.end();
  }
}

/** Expects that a sync has left no trace in the sessions of a pooler, which the next client gets. */
async function expectSessionsUnused(
  { central }: LinkedDatabases,
  pooler: Pgbouncer,
  clone: TestDatabase,
): Promise<void> {
  for (const database of [central, clone]) {
    await throughPooler(pooler, database, async (query) => {
      // what the pooler itself sets for each client is no trace of ours
      expect(
        await query(`select name, setting from pg_settings
          where source = 'session' and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')`),
      ).toEqual([]);
      expect(await query('select name from pg_prepared_statements')).toEqual([]);
      expect(await query(`select relname from pg_class where relpersistence = 't'`)).toEqual([]);
      expect(await query("select objid from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'")).toEqual(
        [],
      );
    });
  }
}

/** Ends what poolers keep open; they connect anew when they need to. */
async function closeSessions({ central, clones }: LinkedDatabases, ...others: TestDatabase[]): Promise<void> {
  for (const database of [central, ...clones, ...others]) {
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lizsync%' and state = 'idle'`,
    );
  }
}
