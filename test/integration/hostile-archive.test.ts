import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { describeDatabase } from '../support/describe-database.js';
import { createCentral, createEmptyClone, createFolder, deployTo, packageTables } from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { rewriteArchive } from '../support/rewrite-archive.js';
import { deflateZeros, makeZip } from '../support/zip.js';

const schema = `
  create schema test; create table test.tree (id serial primary key, kind text);
  insert into test.tree (kind) values ('oak'), ('ash')`;

const injection = 'x"; drop table public.victim; --';

/** A clone with a table that must survive. */
async function createVictim(): Promise<TestDatabase> {
  const clone = await createEmptyClone();
  await clone.query('create table public.victim as select 1 as one');
  return clone;
}

describe('an archive that is not what the central made', () => {
  // biome-ignore lint/suspicious/noExplicitAny: to be spoiled
  const changes: [string, (manifest: any) => void][] = [
    ['a schema', (manifest) => (manifest.tables[0].schema = injection)],
    ['a table', (manifest) => (manifest.tables[0].name = injection)],
    ['a column', (manifest) => (manifest.tables[0].columns[0] = injection)],
    ['a column list', (manifest) => manifest.tables[0].columns.push('id) from program $$touch /tmp/x$$ --')],
    [
      'an excluded column',
      (manifest) => (manifest.tables[0].excludedColumns = [injection, "'); drop table victim; --"]),
    ],
    ['a sequence', (manifest) => (manifest.sequences[0].name = injection)],
    ['an extension', (manifest) => (manifest.extensions = [{ name: injection, version: '1', schema: injection }])],
    [
      'the schema of an extension',
      (manifest) => (manifest.extensions = [{ name: 'pgcrypto', version: '1', schema: `${injection}'` }]),
    ],
  ];

  test.each(changes)('with SQL in the name of %s: it is taken for a name, and refused', async (_name, change) => {
    const central = await createCentral(schema);
    const clone = await createVictim();
    const { file } = await packageTables(central);
    const changed = await rewriteArchive(file, change);
    const before = await describeDatabase(clone);
    for (const trust of [false, true]) {
      const error = await refusal(deployTo(clone, central, changed, { trust }));
      expect(error.message).toContain('the archive was changed after the central made it');
    }
    await central.query('delete from lizsync.packages');
    expect((await refusal(deployTo(clone, central, changed))).message).toContain('does not know this archive');
    const outcome = await deployTo(clone, central, changed, { trust: true }).catch((error: Error) => error);
    // a name that nothing needs to have is no error
    if (outcome instanceof Error) expect(await describeDatabase(clone)).toEqual(before);
    expect(await clone.value('select one from public.victim')).toBe(1);
  });

  test('runs nothing of a script that it changed, unless the user trusts it', async () => {
    const central = await createCentral(schema);
    const clone = await createVictim();
    const { file, packageId } = await packageTables(central);
    const evil = (text: string): string =>
      `${text}\n-- lizsync ${packageId} {"kind":"detail","identity":""}\ndrop table public.victim;\n`;
    const before = await describeDatabase(clone);
    for (const name of ['schema/pre-data.sql', 'schema/post-data.sql']) {
      const changed = await rewriteArchive(file, () => {}, { [name]: evil });
      // whoever changes the manifest too has an archive that the central does not know
      expect((await refusal(deployTo(clone, central, changed))).message).toContain('damaged');
      expect((await refusal(deployTo(clone, central, changed, { trust: true }))).message).toContain('damaged');
      expect(await describeDatabase(clone)).toEqual(before);
    }
  });

  test('with more or fewer rows, or columns, than it says is refused after they are loaded, and nothing stays', async () => {
    const central = await createCentral(schema);
    const clone = await createVictim();
    const { file } = await packageTables(central);
    await central.query('delete from lizsync.packages');
    const before = await describeDatabase(clone);
    const rows = await rewriteArchive(file, (manifest) => {
      manifest.tables[0].rows = 3;
    });
    const error = await refusal(deployTo(clone, central, rows, { trust: true }));
    expect(error.message).toContain('has 2 rows instead of 3');
    const columns = await rewriteArchive(file, (manifest) => {
      manifest.tables[0].columns.pop();
    });
    expect((await refusal(deployTo(clone, central, columns, { trust: true }))).message).toContain('extra data');
    expect(await describeDatabase(clone)).toEqual(before);
  });

  test.each([
    ['an archive that is cut off', (zip: Buffer) => zip.subarray(0, zip.length - 30)],
    ['two archives in one file', (zip: Buffer) => Buffer.concat([zip, zip.subarray(0, 100)])],
    ['nothing', () => Buffer.alloc(0)],
    [
      'a bomb',
      () =>
        makeZip([
          { name: 'manifest.json', content: '', data: deflateZeros(1 << 30), method: 8, uncompressedSize: 1 << 30 },
        ]),
    ],
  ])('is refused by the program in few words and little memory: %s', async (_name, spoil) => {
    const central = await createCentral(schema);
    const clone = await createVictim();
    const good = makeZip([{ name: 'manifest.json', content: '{}' }]);
    const file = path.join(await createFolder(), 'spoiled.zip');
    await writeFile(file, spoil(good));
    for (const args of [
      ['deploy', file, '--central', central.url, '--clone', clone.url],
      ['inspect', file],
    ]) {
      const result = await runLizsync(args, { env: { NODE_OPTIONS: '--max-old-space-size=64' } });
      expect(result, result.stderr).toMatchObject({ code: 1, stdout: '' });
      expect(result.stderr).toMatch(/^error: the archive is damaged: .*\nhint: .*\n$/);
    }
    expect(await clone.value(`select to_regnamespace('lizsync') is null`)).toBe(true);
  });

  test('is found out by its owner alone: nobody else can read it, and it holds no password', async () => {
    const central = await createCentral(schema);
    const folder = await createFolder();
    const output = path.join(folder, 'package.zip');
    const command = ['package', '--central', central.url, '--schemas', 'test', '--output', output];
    const result = await runLizsync([...command, '--compression', 'none']);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    // nothing is compressed: a password would be seen
    const content = (await readFile(output)).toString('latin1');
    expect(content).toContain('oak');
    expect(content).not.toContain(new URL(central.url).password);
    for (const wrong of [
      ['--compression-level', '10'],
      ['--compression-level', '0'],
      ['--compression', 'lzw'],
    ]) {
      expect(await runLizsync([...command, ...wrong])).toMatchObject({ code: 2, stdout: '' });
    }
  });

  test('of a central that is gone is deployed with --trust', async () => {
    const central = await createCentral(schema);
    const clone = await createVictim();
    const { file, packageId } = await packageTables(central);
    await central.query('delete from lizsync.packages');
    const args = ['deploy', file, '--central', central.url, '--clone', clone.url];
    const refused = await runLizsync(args);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('the central does not know this archive');
    expect(refused.stderr).toContain('--trust');
    const trusted = await runLizsync([...args, '--trust', '--json']);
    expect(trusted, trusted.stderr).toMatchObject({ code: 0, json: { package_id: packageId, kind: 'new' } });
  });
});
