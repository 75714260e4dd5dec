import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliResult, runLizsync } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { getCloneServer, getTestServer } from '../support/server.js';

const strangeSchema = 'a"b.É';
const strangeTable = 'Select';
const strangeColumn = `q"u,o'te\\`;
const quoted = [strangeSchema, strangeTable].map(pg.escapeIdentifier).join('.');

let directory: string;
let central: TestDatabase;
let clone: TestDatabase;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lizsync-compare-'));
  central = await createDatabase(getTestServer(), { name: 'central' });
  clone = await createDatabase(getCloneServer(), { name: 'clone' });
  await central.query(`
    create schema shop;
    create schema ${pg.escapeIdentifier(strangeSchema)};
    create table shop.item (id integer primary key, name text, price numeric, kind text, twice integer generated always as (id * 2) stored);
    create table shop.value (
      id integer primary key, d date, t timestamp with time zone, i interval, f double precision, b bytea, r numrange,
      a text[], c char(5), p point
    );
    create table shop.part (id integer, name text, primary key (id)) partition by range (id);
    create table shop.part_low partition of shop.part for values from (0) to (100);
    create table shop.part_high partition of shop.part for values from (100) to (1000);
    create table shop.secret (id integer primary key, name text, note text);
    create table shop.keyless (uid uuid not null unique default gen_random_uuid());
    create table shop.large (id integer primary key, name text);
    create table shop.changed (id integer primary key, name text);
    create table ${quoted} (id integer primary key, ${pg.escapeIdentifier(strangeColumn)} text);
    insert into shop.item select i, 'item ' || i, i / 7.0, 'k' from generate_series(1, 3000) as i;
    insert into shop.value values (
      1, '2024-03-04', '2024-07-01 12:00+02', '1 mon 2 days -3:04:05.678', 0.1::double precision + 0.2, '\\xdeadbeef',
      '[1.5,2)', array['a', null, 'b"c'], 'ab', '(1.1,2.2)'
    ), (2, null, null, null, null, '', 'empty', '{}', '', null);
    insert into shop.part select i, 'part ' || i from generate_series(1, 500) as i;
    insert into shop.secret select i, 'name', 'for the central only' from generate_series(1, 10) as i;
    insert into shop.keyless select from generate_series(1, 5);
    insert into shop.large select i, 'row ' || i from generate_series(1, 100000) as i;
    insert into shop.changed values (1, 'a');
    insert into ${quoted} values (1, 'one'), (2, null);
  `);
  const archive = path.join(directory, 'archive.zip');
  const schemas = `shop,${pg.escapeIdentifier(strangeSchema)}`;
  for (const args of [
    ['install', '--central', central.url],
    ['prepare-central', '--central', central.url, '--schemas', schemas, '--exclude-columns', 'shop.secret.note'],
    ['package', '--central', central.url, '--schemas', schemas, '--output', archive],
    ['deploy', archive, '--clone', clone.url, '--central', central.url],
  ]) {
    const result = await runLizsync(args);
    expect(result, result.stderr).toMatchObject({ code: 0 });
  }
});

afterAll(() => rm(directory, { recursive: true }));

/** An address that leads to the server of `url`; `close` says how many bytes have passed, both ways. */
async function countBytes(url: string): Promise<{ url: string; close(): Promise<number> }> {
  const address = new URL(url);
  const target = { host: address.hostname, port: Number(address.port) };
  let bytes = 0;
  const proxy = createServer((client) => {
    const server = connect(target);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', (chunk) => {
        bytes += chunk.length;
      });
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  address.hostname = '127.0.0.1';
  address.port = String((proxy.address() as AddressInfo).port);
  return {
    url: address.href,
    close: async () => {
      await new Promise((resolve) => proxy.close(resolve));
      return bytes;
    },
  };
}

async function compareTables(...args: string[]): Promise<CliResult> {
  return runLizsync(['compare', '--clone', clone.url, ...args]);
}

/** What differs in one table, as the program and as SQL in the clone see it, which must be the same. */
async function findDifferences(
  schema: string,
  table: string,
): Promise<{ uid: string; kind: string; columns: string[] }[]> {
  const name = [schema, table].map(pg.escapeIdentifier).join('.');
  const result = await compareTables('--tables', name, '--json');
  expect(result.json.error, result.stdout).toBeUndefined();
  const { differences, difference_count } = result.json.tables[0];
  expect(difference_count).toBe(differences.length);
  expect(result.code).toBe(differences.length === 0 ? 0 : 1);
  const rows = await clone.query(
    'select uid::text, kind, column_names as columns from lizsync.compare_tables($1, $2) order by uid',
    [schema, table],
  );
  expect(rows).toEqual(differences);
  return differences;
}

/** Changes one side only; the change is taken back afterwards, so that tests don't depend on each other. */
async function withChange(database: TestDatabase, changes: string, check: () => Promise<void>): Promise<void> {
  const table = changes.match(/(?:update|delete from|insert into) ((?:"[^"]*(?:""[^"]*)*"|[\w.])+)/)?.[1] ?? '';
  await database.query(`create table public.saved as select * from ${table}`);
  try {
    await database.query(changes);
    await check();
  } finally {
    const columns = await database.value<string>(
      `select string_agg(quote_ident(attname), ', ') from pg_attribute
      where attrelid = '${table.replaceAll("'", "''")}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    );
    await database.query(`
      delete from ${table};
      insert into ${table} (${columns}) select ${columns} from public.saved;
      drop table public.saved;
    `);
  }
}

describe('equal databases', () => {
  test('are found equal, with 0, in words and as JSON', async () => {
    const plain = await compareTables();
    expect(plain, plain.stdout + plain.stderr).toMatchObject({ code: 0 });
    expect(plain.stdout).toContain('  shop.item: equal, 3,000 rows');
    expect(plain.stdout).toContain('equal: 8 tables');

    const { json } = await compareTables('--json');
    expect(json.equal).toBe(true);
    expect(json.tables.map((table: { table: string }) => table.table)).toContain(strangeTable);
    for (const table of json.tables) expect(table).toMatchObject({ difference_count: 0, differences: [] });
    expect(await clone.query('select * from lizsync.compare_tables()')).toEqual([]);
  });

  test('are equal although the settings of one server print values differently', async () => {
    const settings = { datestyle: 'SQL, DMY', extra_float_digits: '0', bytea_output: 'escape', timezone: 'Asia/Tokyo' };
    const name = pg.escapeIdentifier(clone.name);
    for (const [key, value] of Object.entries(settings)) {
      await clone.query(`alter database ${name} set ${key} = '${value}'`);
    }
    try {
      expect(await compareTables()).toMatchObject({ code: 0 });
      expect(await findDifferences('shop', 'value')).toEqual([]);
    } finally {
      await clone.query(`alter database ${name} reset all`);
    }
  });

  test('are equal although an excluded column differs', async () => {
    await withChange(central, `update shop.secret set note = 'changed'`, async () => {
      expect(await findDifferences('shop', 'secret')).toEqual([]);
    });
  });

  test('transfer next to nothing, however many rows there are', async () => {
    const [toCentral, toClone] = [await countBytes(central.url), await countBytes(clone.url)];
    const urls = ['--central', toCentral.url, '--clone', toClone.url];
    const result = await runLizsync(['compare', ...urls, '--tables', 'shop.large', '--json']);
    expect(result).toMatchObject({ code: 0, json: { tables: [{ rows_central: 100_000, rows_clone: 100_000 }] } });
    // not even one byte a row
    expect(await toCentral.close()).toBeLessThan(20_000);
    expect(await toClone.close()).toBeLessThan(20_000);
  });
});

describe('differing databases', () => {
  test('the rows and the columns that differ are named, never their values', async () => {
    const uid = await clone.value<string>('select uid::text from shop.item where id = 77');
    await withChange(clone, `update shop.item set name = 'a secret', price = null where id = 77`, async () => {
      expect(await findDifferences('shop', 'item')).toEqual([{ uid, kind: 'different', columns: ['name', 'price'] }]);
      const plain = await compareTables();
      expect(plain.code).toBe(1);
      expect(plain.stdout).toContain('shop.item: 1 differing row, 3,000 rows in the central, 3,000 rows in the clone');
      expect(plain.stdout).toContain(`${uid} different: name, price`);
      expect(plain.stdout + plain.stderr).not.toContain('a secret');
    });
  });

  test('rows that only one side has are told apart', async () => {
    await withChange(clone, 'delete from shop.item where id <= 2', async () => {
      const uids = await central.query<{ uid: string }>('select uid::text from shop.item where id <= 2 order by uid');
      expect(await findDifferences('shop', 'item')).toEqual(
        uids.map(({ uid }) => ({ uid, kind: 'only_central', columns: [] })),
      );
    });
    await withChange(central, 'delete from shop.keyless', async () => {
      const differences = await findDifferences('shop', 'keyless');
      expect(differences.map(({ kind }) => kind)).toEqual(Array(5).fill('only_clone'));
    });
  });

  test('values that changed places between two rows, or between two columns of a row, are noticed', async () => {
    const swap = `update shop.item set name = case id when 1 then 'item 2' else 'item 1' end where id in (1, 2)`;
    await withChange(clone, swap, async () => {
      expect((await findDifferences('shop', 'item')).map(({ columns }) => columns)).toEqual([['name'], ['name']]);
    });
    await withChange(clone, 'update shop.item set name = kind, kind = name where id = 3', async () => {
      expect((await findDifferences('shop', 'item')).map(({ columns }) => columns)).toEqual([['kind', 'name']]);
    });
  });

  test('null, the empty text, a blank and capitals are different values', async () => {
    for (const value of ['null', `''`, `' '`, `'ITEM 5'`]) {
      await withChange(clone, `update shop.item set name = ${value} where id = 5`, async () => {
        expect(await findDifferences('shop', 'item')).toMatchObject([{ kind: 'different', columns: ['name'] }]);
      });
    }
  });

  test.each([
    ['d', `'2024-04-03'`],
    ['t', `'2024-07-01 12:00:00.000001+02'`],
    ['i', `'32 days -3:04:05.678'`],
    ['f', `0.3`],
    ['b', `'\\xdeadbeee'`],
    ['r', `'[1.5,2]'`],
    ['a', `array['a', 'null', 'b"c']`],
    ['c', `'ac'`],
    ['p', `'(1.1,2.20000000001)'`],
  ])('a difference in the column %s is noticed', async (column, value) => {
    await withChange(clone, `update shop.value set ${column} = ${value} where id = 1`, async () => {
      expect(await findDifferences('shop', 'value')).toMatchObject([{ kind: 'different', columns: [column] }]);
    });
  });

  test('a partitioned table is compared as one, whichever partition holds a row', async () => {
    await withChange(central, `update shop.part set name = 'x' where id in (5, 400)`, async () => {
      expect(await findDifferences('shop', 'part')).toHaveLength(2);
    });
  });

  test('names with quotes, dots and accents are handled and printed as SQL would need them', async () => {
    const column = pg.escapeIdentifier(strangeColumn);
    await withChange(clone, `update ${quoted} set ${column} = 'two' where id = 2`, async () => {
      expect(await findDifferences(strangeSchema, strangeTable)).toMatchObject([{ columns: [strangeColumn] }]);
      const { stdout } = await compareTables('--schemas', pg.escapeIdentifier(strangeSchema));
      expect(stdout).toContain(quoted);
      expect(stdout).toContain(`different: ${column}`);
    });
  });

  test('all rows different are all found, and people see the first ones', async () => {
    await withChange(clone, 'update shop.item set kind = id::text', async () => {
      expect(await findDifferences('shop', 'item')).toHaveLength(3000);
      const { stdout } = await compareTables('--tables', 'shop.item');
      expect(stdout).toContain('and 2,980 more');
      expect(stdout.split('\n').length).toBeLessThan(30);
    });
  });
});

describe('what cannot be compared', () => {
  test('a column that only one side has is an error that names it', async () => {
    await clone.query('alter table shop.changed add column extra text');
    try {
      const result = await compareTables('--json');
      expect(result.code).toBe(1);
      expect(result.json.error).toMatchObject({
        message: 'the table shop.changed has other columns in the central than in the clone',
        details: ['only in the clone: extra'],
        hint: expect.any(String),
        sqlstate: 'LZ001',
      });
      await expect(clone.query('select * from lizsync.compare_tables()')).rejects.toMatchObject({ code: 'LZ001' });
    } finally {
      await clone.query('alter table shop.changed drop column extra');
    }
    expect(await compareTables()).toMatchObject({ code: 0 });
  });

  test('a table that only one side has is an error that names it', async () => {
    await clone.query('alter table shop.changed rename to renamed');
    try {
      const result = await compareTables();
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('the table shop.changed is missing in the clone');
      expect(result.stderr).toContain('hint: ');
    } finally {
      await clone.query('alter table shop.renamed rename to changed');
    }
  });

  test('a table that the clone does not synchronise is wrong usage', async () => {
    const result = await compareTables('--tables', 'shop.item,shop.nothing');
    expect(result).toMatchObject({ code: 2 });
    expect(result.stderr).toContain('the clone does not synchronise shop.nothing');
  });

  test('central and clone the wrong way round are refused', async () => {
    const result = await runLizsync(['compare', '--clone', central.url, '--central', clone.url]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('is not a clone');
  });

  test('a failed comparison in SQL leaves no connection behind', async () => {
    const client = await clone.connect();
    for (const attempt of [1, 2]) {
      const failed = client.query(`select * from lizsync.compare_tables('shop', 'attempt ${attempt}')`);
      await expect(failed).rejects.toMatchObject({ code: 'LZ002' });
    }
    expect((await client.query(`select * from lizsync.compare_tables('shop', 'item')`)).rows).toEqual([]);
  });
});

test('a LATIN1 database and a UTF8 one have the same checksums for the same text', async () => {
  const checksums = await Promise.all(
    ['LATIN1', 'UTF8'].map(async (encoding) => {
      const database = await createDatabase(getTestServer(), { encoding });
      const { code, stderr } = await runLizsync(['install', '--central', database.url]);
      expect(code, stderr).toBe(0);
      await database.query(`
        create table public.t (uid uuid, a text, b text);
        insert into public.t values ('00000000-0000-0000-0000-000000000001', 'Élan', null), (gen_random_uuid(), 'x', 'ü');
        update public.t set uid = '00000000-0000-0000-0000-000000000002' where a = 'x';
      `);
      return database.query(`select * from lizsync.table_checksum('public', 't', array['a', 'b'])`);
    }),
  );
  expect(checksums[0]).toEqual(checksums[1]);
  expect(checksums[0]).toMatchObject([{ row_count: '2' }]);
});
