import { readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { withArchive } from '../../src/archive/archive-reader.js';
import { runLizsync } from '../support/cli.js';
import {
  collectWarnings,
  createCentral,
  createEmptyClone,
  createFolder,
  deployTo,
  packageTables,
} from '../support/packages.js';

/** Three tables of very different sizes, whose sums belong together. */
const threeTables = `
  create schema test;
  create table test.large (id integer primary key, n integer, t text);
  create table test.middle (id integer primary key, n integer, t text);
  create table test.small (id integer primary key, n integer);
  insert into test.large select i, 1, repeat(md5(i::text), 60) from generate_series(1, 20000) as i;
  insert into test.middle select i, 1, repeat(md5(i::text), 20) from generate_series(1, 1000) as i;
  insert into test.small select i, 1 from generate_series(1, 100) as i`;

describe('tables that are read at the same time', () => {
  test.each([1, 2, 3])('with %i jobs are those of one moment, in an archive of the same form', async (jobs) => {
    const central = await createCentral(threeTables);
    const folder = await createFolder();
    let named = 0;
    let edits: Promise<unknown> = Promise.resolve();
    let tables = 0;
    const { file, rows } = await packageTables(central, { jobs, output: path.join(folder, 'package.zip') }, (event) => {
      if (event.kind !== 'transfer') return;
      const sizes = readdirSync(folder).map(
        (name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
      );
      named = Math.max(named, sizes.filter((size) => size > 0).length);
      expect(event.share).toBeGreaterThanOrEqual(0);
      expect(event.share).toBeLessThanOrEqual(1);
      if (event.tableNumber === tables) return;
      tables = event.tableNumber;
      edits = central.query(`
        update test.large set n = n + 1 where id = 1; update test.middle set n = n + 1 where id = 1;
        update test.small set n = n + 1 where id = 1`);
    });
    await edits;
    expect(tables).toBe(3);
    expect(rows).toBe(21_100);
    // the archive, under its temporary name; temporary files beside it have no names
    if (process.platform !== 'win32') expect(named).toBe(1);
    expect(readdirSync(folder)).toEqual(['package.zip']);
    await withArchive(file, async (archive) => {
      expect(archive.manifest.tables.map(({ name, entry }) => [name, entry])).toEqual([
        ['large', 'data/000001.copy.br'],
        ['middle', 'data/000002.copy.br'],
        ['small', 'data/000003.copy.br'],
      ]);
      for (const name of Object.keys(archive.manifest.entries)) await archive.verify(name);
    });
    const clone = await createEmptyClone();
    await deployTo(clone, central, file);
    for (const table of ['large', 'middle', 'small']) {
      expect(await clone.value(`select max(n) from test.${table}`)).toBe(1);
    }
    expect(await clone.value(`select count(*)::integer from test.large where t = repeat(md5(id::text), 60)`)).toBe(
      20_000,
    );
  });

  test('do not wait for somebody who waits to change a table', async () => {
    const central = await createCentral(threeTables);
    let change: Promise<unknown> | undefined;
    const { rows } = await packageTables(central, { jobs: 2 }, (event) => {
      // the connection that reads the middle one comes to the small one next
      if (event.kind === 'transfer') change ??= central.query('alter table test.small add column late text');
    });
    await change;
    expect(rows).toBe(21_100);
  }, 30_000);

  test('leave nothing behind when one of them fails', async () => {
    const central = await createCentral(`${threeTables};
      create function test.fail(integer) returns integer language plpgsql immutable
        as $$ begin if $1 = 999 then raise 'this row cannot be read'; end if; return $1; end $$`);
    const folder = await createFolder();
    const { onProgress } = collectWarnings();
    await central.query('create table test.parts (id integer, uid uuid not null unique default gen_random_uuid())');
    const terminated = packageTables(
      central,
      {
        schemas: [],
        tables: ['large', 'middle'].map((table) => ({ schema: 'test', table })),
        output: path.join(folder, 'x.zip'),
      },
      (event) => {
        onProgress(event);
        if (event.kind === 'transfer' && event.table === 'test.middle') throw new Error('whoever listens fails');
      },
    );
    await expect(terminated).rejects.toThrow('whoever listens fails');
    expect(readdirSync(folder)).toEqual([]);
    expect(await central.value('select count(*)::integer from lizsync.packages')).toBe(0);
  });
});

describe('memory', () => {
  test('stays small whatever the size of the tables and of their values', async () => {
    const central = await createCentral(`
      create schema test;
      create table test.rows (id integer primary key, t text);
      create table test.values (id integer primary key, b bytea, t text)`);
    await central.query(`insert into test.rows select i, repeat(md5(i::text), 6) from generate_series(1, 700000) as i`);
    await central.query(`insert into test.values
      select i, decode(repeat(md5(i::text), 500000), 'hex'), repeat(md5(i::text), 300000) from generate_series(1, 6) as i`);
    const clone = await createEmptyClone();
    const folder = await createFolder();
    const archive = path.join(folder, 'package.zip');
    const measured = path.join(folder, 'peak');
    const preload = path.join(folder, 'measure.mjs');
    await writeFile(
      preload,
      `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
      process.on('exit', () => {
        const status = '/proc/self/status';
        const kilobytes = existsSync(status)
          ? /VmHWM:\\s+(\\d+)/.exec(readFileSync(status, 'utf8'))[1]
          : process.resourceUsage().maxRSS;
        writeFileSync(${JSON.stringify(measured)}, String(kilobytes));
      });`,
    );
    const run = async (...args: string[]): Promise<number> => {
      const env = {
        NODE_OPTIONS: `--max-old-space-size=128 --import ${preload}`,
        LIZSYNC_CENTRAL: central.url,
        LIZSYNC_CLONE: clone.url,
      };
      const { code, stderr } = await runLizsync([...args, '--quiet'], { env, timeout: 150_000 });
      expect(stderr).toBe('');
      expect(code).toBe(0);
      return Number(await readFile(measured, 'utf8')) / 1024;
    };
    const peaks = {
      package: await run('package', '--schemas', 'test', '--jobs', '2', '--output', archive),
      deploy: await run('deploy', archive, '--clone', '--central'),
    };
    console.log(`peak memory in MB: package ${peaks.package.toFixed(0)}, deploy ${peaks.deploy.toFixed(0)}`);
    expect(await clone.value(`select sum(length(b))::integer from test.values`)).toBe(48_000_000);
    expect(await clone.value('select count(*)::integer from test.rows')).toBe(700_000);
    expect(peaks.package).toBeLessThan(150);
    expect(peaks.deploy).toBeLessThan(150);
  }, 300_000);
});
