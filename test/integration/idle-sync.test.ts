import { beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';
import { waitForOlderTransactions, waitUntil } from '../support/synchronised.js';

const events = 20_000;

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;

beforeAll(async () => {
  link = await linkDatabases('create schema test; create table test.item (id integer primary key, number integer)');
  central = link.central;
  clone = link.clones[0] as TestDatabase;
  await central.query(`insert into test.item select n, n from generate_series(1, ${events}) as n`);
  // what other tests have begun before is looked at again by each sync until it ends, and all that came after it
  await waitForOlderTransactions(central);
  // the second one tells the central that the first one is done
  for (let count = 0; count < 2; count += 1) await link.sync();
}, 300_000);

/** Events that sessions have read so far, of those that have ended. */
function countRead(database: TestDatabase): Promise<number> {
  return database.value<number>(`
    select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::integer
    from pg_stat_user_tables where schemaname = 'audit' and relname = 'logged_actions'`);
}

/** How many events of the central a sync reads. */
async function countReadBy(sync: () => Promise<unknown>): Promise<number> {
  const updates = `select n_tup_upd from pg_stat_user_tables where schemaname = 'lizsync' and relname = 'links'`;
  const before = { updates: await central.value(updates), read: await countRead(central) };
  await sync();
  await waitUntil(central, `select (${updates}) > $1`, [before.updates]);
  await waitUntil(
    central,
    `select count(*) = 0 from pg_stat_activity where datname = current_database() and application_name like 'lizsync%'`,
  );
  return (await countRead(central)) - before.read;
}

describe('a log that has been carried', () => {
  it.each(transports)('is not read by a sync that has nothing to carry (%s)', async (transport) => {
    expect(await countReadBy(() => link.sync(clone, transport))).toBeLessThan(100);
  });

  it('is not read by a sync that carries one change', async () => {
    await central.query('update test.item set number = 0 where id = 1');
    await clone.query('update test.item set number = 0 where id = 2');
    expect(await countReadBy(() => link.sync())).toBeLessThan(100);
    // last, because it reads them itself: they have been there all the while
    expect(await central.value('select count(*)::integer from audit.logged_actions')).toBe(events + 2);
  });
});
