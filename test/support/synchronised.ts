import { expect, vi } from 'vitest';
import type { SynchronizeResult } from '../../src/core/sync.js';
import type { TestDatabase } from './database.js';
import type { LinkedDatabases } from './link.js';

/** Waits until a query of a database returns true. No sleeping: it is asked again and again. */
export async function waitUntil(
  database: TestDatabase,
  sql: string,
  parameters: unknown[] = [],
  { timeout = 20_000 } = {},
): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await database.value(sql, parameters), sql).toBe(true);
    },
    { timeout, interval: 20 },
  );
}

/**
 * Waits until all transactions are over that began before, also those of other tests on the same server, which may carry
 * hundreds of megabytes.
 */
export async function waitForOlderTransactions(...databases: TestDatabase[]): Promise<void> {
  for (const database of databases) {
    const before = await database.value('select pg_current_xact_id()::text');
    await waitUntil(database, 'select pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8', [before], {
      timeout: 240_000,
    });
  }
}

/** Waits until so many sessions of a database wait for a lock that somebody else has. */
export async function waitForBlocked(database: TestDatabase, sessions = 1): Promise<void> {
  await waitUntil(
    database,
    `select count(*) = $1 from pg_stat_activity
     where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
    [sessions],
  );
}

/**
 * Expects that everything has arrived everywhere, each event once, and that nothing is left of the syncs: no staged rows, no
 * open transactions, no locks, no sessions of dblink, nothing held.
 * The tables must have been written so that no two changes of one row have the same values.
 */
export async function expectSynchronised({ central, clones, contents }: LinkedDatabases): Promise<void> {
  const expected = await contents(central);
  for (const clone of clones) expect(await contents(clone)).toEqual(expected);
  for (const database of [central, ...clones]) {
    expect(
      await database.query(`
      select uid, action::text, new_values, count(*) from audit.logged_actions
      group by relation_id, uid, action, new_values, case when action = 'D' then event_id end having count(*) > 1`),
    ).toEqual([]);
    expect(await database.value('select count(*)::integer from lizsync.held_changes')).toBe(0);
    await expectNothingLeft(database);
  }
}

/** Expects that no sync is under way in a database, nor anything of one that ended early. */
export async function expectNothingLeft(database: TestDatabase): Promise<void> {
  // a server takes a moment to notice that a client has gone
  await vi.waitFor(
    async () => {
      expect(
        await database.query(`
          select a.application_name, a.state, a.query from pg_stat_activity as a
          where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
            and (a.state <> 'idle' or a.application_name like 'lizsync%')`),
      ).toEqual([]);
      expect(
        await database.query(`
          select l.locktype, l.mode from pg_locks as l
          where l.database = (select oid from pg_database where datname = current_database())
            and (l.locktype = 'advisory' or l.pid is null)`),
      ).toEqual([]);
    },
    { timeout: 10_000, interval: 20 },
  );
  expect(await database.value('select count(*)::integer from lizsync.staged_changes')).toBe(0);
  expect(await database.value('select count(*)::integer from lizsync.stages')).toBe(0);
}

/** Synchronises until a sync of each clone changes nothing, not even in the logs, and expects all databases to be equal then. */
export async function expectConvergence({ central, clones, contents, sync }: LinkedDatabases): Promise<void> {
  const logs = (): Promise<unknown[]> =>
    Promise.all([central, ...clones].map((database) => database.value('select count(*) from audit.logged_actions')));
  for (let round = 1; ; round += 1) {
    expect(round, 'rounds of syncs until nothing changes').toBeLessThan(6);
    const before = await logs();
    const results: SynchronizeResult[] = [];
    for (const clone of clones) results.push(await sync(clone));
    // a clone forgets what it logged in one sync when the next one has told the central
    if (
      results.every(({ pushed, pulled, conflicts }) => pushed + pulled + conflicts === 0) &&
      String(await logs()) === String(before)
    ) {
      break;
    }
  }
  const expected = await contents(central);
  for (const clone of clones) expect(await contents(clone)).toEqual(expected);
}
