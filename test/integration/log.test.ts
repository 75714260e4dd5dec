import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';
import { deployTo, packageTables } from '../support/packages.js';
import { expectSynchronised, waitForOlderTransactions } from '../support/synchronised.js';

let link: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;

beforeAll(async () => {
  link = await linkDatabases(`
    create schema test;
    create table test.item (id integer primary key, name text, number integer);
    create table test.reading (id integer, year integer, value integer, primary key (id, year)) partition by list (year);
    create table test.reading_1 partition of test.reading for values in (1);
    create table test.reading_2 partition of test.reading for values in (2)`);
  central = link.central;
  clone = link.clones[0] as TestDatabase;
});

beforeEach(async () => {
  await link.reset('');
});

describe('what people pay for the log when they write', () => {
  it('stores who wrote, and the beginning of the query, once for a statement, however large that is', async () => {
    const values = Array.from({ length: 3000 }, (_, n) => `(${n}, '${'x'.repeat(150)}', ${n})`).join(', ');
    const statement = `insert into test.item values ${values}`;
    expect(statement.length).toBeGreaterThan(450_000);
    const size =
      'select sum(pg_total_relation_size(c.oid))::integer from pg_class as c where c.relnamespace = $1::regnamespace';
    const before = await clone.value<number>(size, ['audit']);
    await clone.query(statement);
    const [logged] = await clone.query<{ statements: number; query: number; events: number }>(`
      select count(distinct statement_id)::integer as statements, max(length(s.client_query)) as query,
        count(*)::integer as events
      from audit.logged_actions join audit.logged_statements as s using (statement_id)
      where new_values ? 'id'`);
    expect(logged).toEqual({ statements: 1, query: 10_000, events: 3000 });
    // the rows themselves and what finds them: not the query for each of them, which would be 1.4 GB
    expect((await clone.value<number>(size, ['audit'])) - before).toBeLessThan(10 * statement.length);
  });

  it.each([
    ['a table', 'item', `insert into test.item select n, 'n', n from generate_series(1, $1) as n`],
    ['an updated table', 'item', `update test.item set number = number + 1 where id <= $1`],
    ['a table that rows leave', 'item', `delete from test.item where id <= $1`],
    [
      'a partitioned table',
      'reading',
      `insert into test.reading select n, 1 + n % 2, n from generate_series(1, $1) as n`,
    ],
  ])('asks the catalogs as often for 2,000 rows as for 20 (%s)', async (_, table, statement) => {
    if (table === 'item' && !statement.startsWith('insert')) {
      await clone.query(`insert into test.item select n, 'n', n from generate_series(1, 3000) as n`);
    }
    const client = await clone.connect();
    const count = async (rows: number): Promise<number> => {
      await client.query('begin');
      const scans = `select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::integer as scans
        from pg_stat_xact_all_tables where schemaname = 'pg_catalog'`;
      const before = (await client.query<{ scans: number }>(scans)).rows[0]?.scans ?? 0;
      const { rowCount } = await client.query(statement.replace('$1', String(rows)));
      expect(rowCount).toBe(rows);
      const after = (await client.query<{ scans: number }>(scans)).rows[0]?.scans ?? 0;
      await client.query('rollback');
      return after - before;
    };
    // A session looks up much once, and again when tables that others have just made in the same server make it forget all
    // that. What it looks up for each row, it looks up every time.
    const fewest = async (rows: number): Promise<number> => {
      const counts: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        counts.push(await count(rows));
      }
      return Math.min(...counts);
    };
    expect(await fewest(2000)).toBeLessThanOrEqual((await fewest(20)) + 20);
    await client.end();
  });
});

describe('the numbers of events', () => {
  it('never go back: not by a sync, a pruned log or a deploy, so that nobody’s write meets a number in use', async () => {
    const last = (): Promise<number> => clone.value<number>(`select last_value::integer from audit.event_id_sequence`);
    let highest = await last();
    const write = async (id: number): Promise<void> => {
      await clone.query(`insert into test.item values ($1, 'n', 1)`, [id]);
      const event = await clone.value<number>('select max(event_id)::integer from audit.logged_actions');
      expect(event).toBeGreaterThan(highest);
      highest = await last();
    };
    await write(1);
    for (const transport of transports) {
      // what a transaction of another test might still do is not pruned
      await waitForOlderTransactions(central, clone);
      await link.sync(clone, transport);
      // twice, so that the log of the clone is empty
      await link.sync(clone, transport);
      expect(await clone.value('select count(*)::integer from audit.logged_actions')).toBe(0);
      expect(await last()).toBeGreaterThanOrEqual(highest);
      await write(transport === 'cli' ? 2 : 3);
    }
    await link.sync();
    const { file } = await packageTables(central);
    await deployTo(clone, central, file);
    expect(await last()).toBeGreaterThanOrEqual(highest);
    await write(4);
    await link.sync();
    await expectSynchronised(link);
  });

  it('have room for more than two billion', async () => {
    for (const database of [central, clone]) {
      await database.query(`
        select setval('audit.event_id_sequence', 3000000000);
        select setval('audit.logged_statements_statement_id_seq', 3000000000)`);
    }
    for (const transport of transports) {
      const id = transport === 'cli' ? 10 : 20;
      await clone.query(`insert into test.item values ($1, 'n', 1)`, [id]);
      await central.query(`insert into test.item values ($1, 'n', 1)`, [id + 1]);
      await central.query(`update test.item set number = 2 where id = $1`, [id + 1]);
      expect(await link.sync(clone, transport)).toMatchObject({ pushed: 1, pulled: 1, held: 0 });
    }
    expect(await central.value('select max(event_id) > 3000000000 from audit.logged_actions')).toBe(true);
    await expectSynchronised(link);
  });
});
