import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchiveReader, withArchive } from '../../src/archive/archive-reader.js';
import { writeArchive } from '../../src/archive/archive-writer.js';
import { type Compression, compressions } from '../../src/archive/compression.js';
import {
  archiveFormatVersion,
  type EntryDigest,
  type Manifest,
  nameDataEntry,
  parseManifest,
} from '../../src/archive/manifest.js';
import { readSchemaScript, type SchemaSection, writeSchemaScript } from '../../src/archive/schema-script.js';
import { LizsyncError } from '../../src/errors.js';
import { readZip } from '../support/rewrite-archive.js';
import { deflateZeros, makeZip, type RawEntry } from '../support/zip.js';

const packageId = '9505b419-c525-4304-bbb0-248e7ec914cc';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lizsync-archive-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const contents = {
  'data/000001.copy': '1\ta\n2\tb\n',
  'schema/pre-data.sql': '',
  'schema/post-data.sql': '-- nothing\n',
  'after.sql': 'select 1;\n',
};

function makeManifest(entries: Record<string, EntryDigest>): Manifest {
  return {
    formatVersion: archiveFormatVersion,
    lizsyncVersion: '0.1.0',
    postgresVersion: 150008,
    packageId,
    createdAt: '2024-01-01T00:00:00.000Z',
    central: { serverId: packageId, serverName: 'central', systemIdentifier: '-7', databaseOid: 5 },
    snapshot: '10:20:12,15',
    extensions: [{ name: 'postgis', version: '3.3', schema: 'public' }],
    tables: [
      {
        schema: 'a"b',
        name: '";drop',
        columns: ['uid', 'x'],
        excludedColumns: [],
        rows: 2,
        bytes: 8,
        entry: 'data/000001.copy',
      },
    ],
    sequences: [{ schema: 'a"b', name: 's', lastValue: '9223372036854775807', isCalled: true }],
    entries,
  };
}

async function writePackage(
  file: string,
  change: (manifest: Manifest) => unknown = (manifest) => manifest,
): Promise<void> {
  await writeArchive(
    file,
    { compression: 'deflate' },
    async (archive) => {
      const entries: Record<string, EntryDigest> = {};
      for (const [name, text] of Object.entries(contents)) entries[name] = (await archive.add(name, text)).digest;
      await archive.add('manifest.json', JSON.stringify(change(makeManifest(entries))));
    },
    async () => {},
  );
}

/** A package of one table with these rows. */
async function writeRows(
  file: string,
  rows: Readable | string,
  options: { compression: Compression; compressionLevel?: number },
): Promise<void> {
  await writeArchive(
    file,
    options,
    async (archive) => {
      const entry = nameDataEntry(0, options.compression);
      const { digest, bytes } = await archive.add(entry, rows);
      const entries: Record<string, EntryDigest> = { [entry]: digest };
      for (const name of ['schema/pre-data.sql', 'schema/post-data.sql']) {
        entries[name] = (await archive.add(name, '')).digest;
      }
      const manifest = makeManifest(entries);
      await archive.add(
        'manifest.json',
        JSON.stringify({ ...manifest, tables: manifest.tables.map((table) => ({ ...table, bytes, entry })) }),
      );
    },
    async () => {},
  );
}

/** The rows of a package of one table, as many bytes as there are and their checksum. */
function readRows(file: string): Promise<{ bytes: number; passed: number; sha256: string }> {
  return withArchive(file, async ({ manifest, stream }) => {
    const [table] = manifest.tables;
    const hash = createHash('sha256');
    let bytes = 0;
    let passed = 0;
    const consume = async (content: Readable): Promise<void> => {
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.length;
      }
    };
    await stream(table?.entry ?? '', consume, (chunk) => {
      passed += chunk.length;
    });
    expect(table?.bytes).toBe(bytes);
    return { bytes, passed, sha256: hash.digest('hex') };
  });
}

async function refusalOfRows(file: string): Promise<string> {
  const error = await readRows(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LizsyncError);
  return (error as LizsyncError).message;
}

function readAll(file: string): Promise<{ manifest: Manifest; sha256: string; texts: string[] }> {
  return withArchive(file, async (archive: ArchiveReader) => {
    const texts: string[] = [];
    for (const name of Object.keys(contents)) texts.push(await archive.readText(name));
    return { manifest: archive.manifest, sha256: archive.manifestSha256, texts };
  });
}

async function refusalOf(file: string): Promise<LizsyncError> {
  const error = await readAll(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LizsyncError);
  return error as LizsyncError;
}

/** The entries of a good package, as they are before they are spoiled. */
async function listGoodEntries(): Promise<(RawEntry & { content: string })[]> {
  const file = path.join(folder, 'good.zip');
  await writePackage(file);
  const { manifest } = await readAll(file);
  return [
    ...Object.entries(contents).map(([name, content]) => ({ name, content })),
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ];
}

async function refuseZip(entries: RawEntry[]): Promise<string> {
  const file = path.join(folder, 'spoiled.zip');
  await writeFile(file, makeZip(entries));
  return (await refusalOf(file)).message;
}

describe('an archive', () => {
  test('gives back what was put into it', async () => {
    const file = path.join(folder, 'package.zip');
    await writePackage(file);
    const { manifest, texts } = await readAll(file);
    expect(texts).toEqual(Object.values(contents));
    expect(manifest).toEqual(makeManifest(manifest.entries));
    expect(manifest.entries['data/000001.copy']?.bytes).toBe(8);
  });

  test('with a byte changed anywhere is refused, or says the same', async () => {
    const file = path.join(folder, 'original.zip');
    await writePackage(file);
    const original = await readFile(file);
    const expected = await readAll(file);
    const changed = path.join(folder, 'changed.zip');
    for (let place = 0; place < original.length; place += 3) {
      const content = Buffer.from(original);
      content[place] = (content[place] ?? 0) ^ (1 << (place % 8));
      await writeFile(changed, content);
      const outcome = await readAll(changed).catch((error: unknown) => error);
      if (outcome instanceof LizsyncError) continue;
      // the checksum of the manifest stands for the archive: a change in it is for the central to find
      const { texts, sha256 } = outcome as typeof expected;
      expect([place, texts]).toEqual([place, expected.texts]);
      if (sha256 === expected.sha256) expect(outcome).toEqual(expected);
    }
  }, 60_000);

  test('cut off anywhere is refused', async () => {
    const file = path.join(folder, 'whole.zip');
    await writePackage(file);
    const original = await readFile(file);
    const short = path.join(folder, 'short.zip');
    for (let length = 0; length < original.length; length += 7) {
      await writeFile(short, original.subarray(0, length));
      await refusalOf(short);
    }
  });

  test('that is not there, or something else, is refused', async () => {
    expect((await refusalOf(path.join(folder, 'none.zip'))).exitCode).toBe(2);
    expect((await refusalOf(folder)).exitCode).toBe(2);
    const text = path.join(folder, 'text.zip');
    await writeFile(text, 'PK this is no archive');
    expect((await refusalOf(text)).message).toContain('not a complete ZIP file');
    expect(await refuseZip([{ name: 'data/000001.copy', content: '' }])).toContain('has no manifest.json');
  });

  test('is read when it was made by another program', async () => {
    const file = path.join(folder, 'other.zip');
    await writeFile(file, makeZip((await listGoodEntries()).map((entry) => ({ ...entry, deflated: true }))));
    expect((await readAll(file)).texts).toEqual(Object.values(contents));
  });

  test('with entries that do not belong there is refused', async () => {
    const good = await listGoodEntries();
    for (const name of ['data/1.copy', 'readme.txt', 'data/000001.copy.exe', 'schema/', '__proto__']) {
      expect(await refuseZip([...good, { name, content: '' }])).toContain('holds');
    }
    for (const name of ['../after.sql', '/after.sql', 'C:/after.sql', 'data\\000001.copy']) {
      expect(await refuseZip([...good, { name, content: '' }])).toContain('damaged');
    }
    expect(await refuseZip([...good, { name: 'data/000002.copy', content: '' }])).toContain('not in the manifest');
    expect(await refuseZip([...good, { name: 'after.sql', content: 'select 1;\n' }])).toContain('twice');
    expect(await refuseZip(good.filter(({ name }) => name !== 'after.sql'))).toContain('after.sql is missing');
  });

  test('with wrong sizes, checksums, or compression is refused', async () => {
    const good = await listGoodEntries();
    const spoil = (name: string, change: Partial<RawEntry>): RawEntry[] =>
      good.map((entry) => (entry.name === name ? { ...entry, ...change } : entry));
    expect(await refuseZip(spoil('after.sql', { content: 'select 2;\n' }))).toContain('checksum of after.sql');
    expect(await refuseZip(spoil('after.sql', { content: 'select 11;\n' }))).toContain('bytes instead of');
    expect(
      await refuseZip(spoil('after.sql', { content: 'x'.repeat(1_000_000), deflated: true, uncompressedSize: 10 })),
    ).toContain('damaged');
    expect(
      await refuseZip(spoil('manifest.json', { content: 'x'.repeat(1_000_000), deflated: true, uncompressedSize: 10 })),
    ).toContain('damaged');
    expect(
      await refuseZip(spoil('manifest.json', { content: Buffer.alloc(65 * 1024 * 1024), deflated: true })),
    ).toContain('too large');
    expect(await refuseZip(spoil('after.sql', { method: 12 }))).toContain('unknown way');
    expect(await refuseZip(spoil('after.sql', { flags: 1, deflated: true }))).toContain('encrypted');
  });
});

describe('the rows of an archive', () => {
  const some = Array.from(
    { length: 40_000 },
    (_, i) => `${i}\t${createHash('md5').update(`${i}`).digest('hex')}\n`,
  ).join('');
  const sha256 = createHash('sha256').update(some).digest('hex');

  test.each(compressions)('come back as they were, and other programs can read them: %s', async (compression) => {
    const file = path.join(folder, 'rows.zip');
    for (const rows of [some, Readable.from([Buffer.from(some.slice(0, 7)), Buffer.from(some.slice(7))]), '']) {
      await writeRows(file, rows, { compression });
      const [entry] = await readZip(file);
      const content = entry?.name.endsWith('.br') ? brotliDecompressSync(entry.content) : entry?.content;
      expect(content?.toString()).toBe(rows === '' ? '' : some);
      const read = await readRows(file);
      expect(read.passed).toBe(read.bytes);
      if (rows !== '') expect(read).toEqual({ bytes: some.length, passed: some.length, sha256 });
    }
  });

  test('that are all the same are never packed so well that reading them is refused', async () => {
    const file = path.join(folder, 'zeros.zip');
    const bytes = 32 * 1024 * 1024;
    for (const compressionLevel of [1, 5, 9]) {
      for (const row of ['\0', '\\N\t\\N\n']) {
        const rows = Readable.from([Buffer.alloc(bytes, row)]);
        await writeRows(file, rows, { compression: 'brotli', compressionLevel });
        expect((await readRows(file)).bytes).toBe(bytes);
      }
    }
  }, 60_000);

  test('in the format before brotli, without a size of their own, are read', async () => {
    const file = path.join(folder, 'format-1.zip');
    const good = await listGoodEntries();
    const entries = good.map((entry) => {
      if (entry.name !== 'manifest.json') return entry;
      const manifest = JSON.parse(entry.content);
      manifest.formatVersion = 1;
      for (const table of manifest.tables) delete table.bytes;
      return { ...entry, content: JSON.stringify(manifest) };
    });
    await writeFile(file, makeZip(entries));
    const { manifest, texts } = await readAll(file);
    expect(texts).toEqual(Object.values(contents));
    expect(manifest.tables[0]?.bytes).toBe(8);
  });

  describe('compressed with brotli', () => {
    const name = 'data/000001.copy.br';

    /** A package whose rows are these bytes, and said to be so large when they are decompressed. */
    async function spoilRows(
      data: Buffer,
      bytes: number,
      change: (manifest: Manifest) => void = () => {},
    ): Promise<string> {
      const file = path.join(folder, 'brotli.zip');
      await writeRows(file, some, { compression: 'brotli' });
      const entries = (await readZip(file)).map((entry) => {
        if (entry.name === name) return { name, content: data };
        if (entry.name !== 'manifest.json') return entry;
        const manifest = JSON.parse(entry.content.toString());
        manifest.entries[name] = { bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') };
        manifest.tables[0].bytes = bytes;
        change(manifest);
        return { name: entry.name, content: JSON.stringify(manifest) };
      });
      await writeFile(file, makeZip(entries));
      return file;
    }

    const compressed = brotliCompressSync(some);

    test('are refused when they are more or fewer than was said, cut off, or followed by something', async () => {
      expect((await readRows(await spoilRows(compressed, some.length))).sha256).toBe(sha256);
      expect(await refusalOfRows(await spoilRows(compressed, some.length - 1))).toContain('come out of it');
      expect(await refusalOfRows(await spoilRows(compressed, 0))).toContain('come out of it');
      expect(await refusalOfRows(await spoilRows(compressed, some.length + 1))).toContain('instead of');
      const longer = Buffer.concat([compressed, Buffer.from('x')]);
      expect(await refusalOfRows(await spoilRows(longer, some.length))).toContain('damaged');
      const twice = Buffer.concat([compressed, compressed]);
      expect(await refusalOfRows(await spoilRows(twice, some.length))).toContain('damaged');
      for (let length = 0; length < compressed.length; length += 9999) {
        expect(await refusalOfRows(await spoilRows(compressed.subarray(0, length), some.length))).toContain('damaged');
      }
      const wrong = await spoilRows(compressed, some.length, ({ entries }) => {
        entries[name] = { bytes: compressed.length, sha256: sha256 };
      });
      expect(await refusalOfRows(wrong)).toContain(`the checksum of ${name} is wrong`);
    });

    test('are refused when a bit is wrong anywhere', async () => {
      const good = await spoilRows(compressed, some.length);
      const bytes = await readFile(good);
      const start = bytes.indexOf(compressed.subarray(0, 64));
      for (let place = 0; place < compressed.length; place += 4999) {
        const changed = Buffer.from(bytes);
        changed[start + place] = (changed[start + place] ?? 0) ^ (1 << (place % 8));
        await writeFile(good, changed);
        expect(await refusalOfRows(good)).toContain('damaged');
      }
    });

    test('of 1 GB in 1 kB are refused in little memory, whatever is said about them', async () => {
      const gigabyte = 1024 * 1024 * 1024;
      const bomb = brotliCompressSync(Buffer.alloc(gigabyte), { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
      expect(bomb.length).toBeLessThan(10_000);
      for (const [bytes, message] of [
        [gigabyte, `would grow from ${bomb.length} to ${gigabyte} bytes`],
        [1_000_000, 'more than 1000000 bytes come out of it'],
      ] as const) {
        const file = await spoilRows(bomb, bytes);
        const { result, growth } = await measureGrowth(() => refusalOfRows(file));
        expect(result).toContain(message);
        expect(growth).toBeLessThan(50 * 1024 * 1024);
      }
    });

    test('are refused when they ask for a larger window than brotli has by itself', async () => {
      const params = { [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 30 };
      const large = brotliCompressSync(some, { params });
      expect(await refusalOfRows(await spoilRows(large, some.length))).toContain('damaged');
    });

    test('are refused when another size is said of rows that are not compressed', async () => {
      const file = path.join(folder, 'sizes.zip');
      await writePackage(file, (manifest) => ({
        ...manifest,
        tables: manifest.tables.map((table) => ({ ...table, bytes: 9 })),
      }));
      expect((await refusalOf(file)).message).toContain('has two sizes');
    });
  });
});

/** How many bytes the process grows by, at its peak, during some work. */
async function measureGrowth<T>(work: () => Promise<T>): Promise<{ result: T; growth: number }> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  try {
    const result = await work();
    return { result, growth: Math.max(peak, process.memoryUsage().rss) - before };
  } finally {
    clearInterval(timer);
  }
}

describe('an archive that was made to do harm', () => {
  const gigabyte = 1024 * 1024 * 1024;

  async function spoilEntry(name: string, change: Partial<RawEntry>): Promise<RawEntry[]> {
    return (await listGoodEntries()).map((entry) => (entry.name === name ? { ...entry, ...change } : entry));
  }

  /** How many bytes the process grows by, at its peak, while it refuses an archive. */
  async function measureRefusal(entries: RawEntry[]): Promise<{ message: string; growth: number }> {
    const file = path.join(folder, 'bomb.zip');
    await writeFile(file, makeZip(entries));
    const { result, growth } = await measureGrowth(() => refusalOf(file));
    return { message: result.message, growth };
  }

  const bombs = deflateZeros(gigabyte);

  test.each([
    ['a manifest that says so', 'manifest.json', { uncompressedSize: gigabyte }, 'manifest.json is too large'],
    ['a manifest that says it is small', 'manifest.json', { uncompressedSize: 1000 }, 'manifest.json'],
    ['a script that says it is small', 'schema/pre-data.sql', { uncompressedSize: 0 }, 'schema/pre-data.sql'],
    ['rows that say they are few', 'data/000001.copy', { uncompressedSize: 8 }, 'data/000001.copy'],
    [
      'rows that are more than can be packed into so little',
      'data/000001.copy',
      { uncompressedSize: gigabyte, data: bombs.subarray(0, 100_000) },
      'would grow from 100000 to 1073741824 bytes',
    ],
  ])('of 1 GB, packed into 1 MB, is refused in little memory: %s', async (_title, name, change, message) => {
    const entries = await spoilEntry(name, { content: '', deflated: true, data: bombs, method: 8, ...change });
    const refused = await measureRefusal(entries);
    expect(refused.message).toContain('damaged');
    expect(refused.message).toContain(message);
    expect(refused.growth).toBeLessThan(100 * 1024 * 1024);
  });

  test('with a manifest nested without end is refused, brackets in names or not', async () => {
    for (const content of [
      '['.repeat(15 * 1024 * 1024),
      `{"formatVersion":1,"x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    ]) {
      const { message, growth } = await measureRefusal(await spoilEntry('manifest.json', { content, deflated: true }));
      expect(message).toContain('nested too deep');
      expect(growth).toBeLessThan(200 * 1024 * 1024);
    }
    const good = await listGoodEntries();
    const entries = good.map((entry) =>
      entry.name === 'manifest.json'
        ? { ...entry, content: entry.content.replace('"x"', '"[[[[[[[[[[[[[[[[[[[[[\\"[{"') }
        : entry,
    );
    const file = path.join(folder, 'brackets.zip');
    await writeFile(file, makeZip(entries));
    expect((await readAll(file)).manifest.tables[0]?.columns[1]).toBe('[[[[[[[[[[[[[[[[[[[[["[{');
  });

  test('with sizes that contradict each other is refused', async () => {
    expect(await refuseZip(await spoilEntry('after.sql', { compressedSize: 5 }))).toContain('damaged');
    expect(await refuseZip(await spoilEntry('after.sql', { compressedSize: 0xfffffff0 }))).toContain('damaged');
    expect(await refuseZip(await spoilEntry('after.sql', { uncompressedSize: 9 }))).toContain('damaged');
    expect(
      await refuseZip(await spoilEntry('after.sql', { deflated: true, compressedSize: 3, uncompressedSize: 10 })),
    ).toContain('damaged');
    expect(await refuseZip(await spoilEntry('after.sql', { offset: 0x7fffffff }))).toContain('damaged');
    expect(await refuseZip(await spoilEntry('after.sql', { offset: 1 }))).toContain('damaged');
  });

  test('with sizes of 64 bits that lie is refused', async () => {
    const zip64 = (values: bigint[]): NonNullable<RawEntry['extra']> => {
      const content = Buffer.alloc(8 * values.length);
      for (const [index, value] of values.entries()) content.writeBigUInt64LE(value, 8 * index);
      return [{ id: 1, content }];
    };
    const marks = { uncompressedSize: 0xffffffff, compressedSize: 0xffffffff };
    const spoil = (values: bigint[], change: Partial<RawEntry> = marks): Promise<string> =>
      spoilEntry('after.sql', { ...change, extra: zip64(values) }).then(refuseZip);
    expect(await spoil([1n << 40n, 1n << 40n])).toContain('damaged');
    expect(await spoil([1n << 63n, 10n])).toContain('damaged');
    expect(await spoil([10n, (1n << 64n) - 1n])).toContain('damaged');
    expect(await spoil([10n])).toContain('damaged');
    expect(await spoil([])).toContain('damaged');
    expect(await spoil([10n, 10n, 1n << 50n], { ...marks, offset: 0xffffffff })).toContain('damaged');
    // what says the truth in 64 bits is read
    const file = path.join(folder, 'zip64.zip');
    await writeFile(file, makeZip(await spoilEntry('after.sql', { ...marks, extra: zip64([10n, 10n]) })));
    expect((await readAll(file)).texts).toEqual(Object.values(contents));
  });

  test('with an entry that is no plain file is refused', async () => {
    expect(await refuseZip(await spoilEntry('after.sql', { mode: 0o120777 }))).toContain(
      'after.sql is not a plain file',
    );
    expect(await refuseZip(await spoilEntry('after.sql', { mode: 0o040755 }))).toContain('not a plain file');
    const file = path.join(folder, 'mode.zip');
    await writeFile(file, makeZip(await spoilEntry('after.sql', { mode: 0o100755 })));
    expect((await readAll(file)).texts).toEqual(Object.values(contents));
  });

  test('with more remarks or entries than a package has is refused', async () => {
    expect(await refuseZip(await spoilEntry('after.sql', { comment: 'x'.repeat(2000) }))).toContain('says too much');
    expect(
      await refuseZip(await spoilEntry('after.sql', { extra: [{ id: 0x7777, content: Buffer.alloc(60_000) }] })),
    ).toContain('says too much');
    const good = await listGoodEntries();
    const file = path.join(folder, 'spoiled.zip');
    for (const entryCount of [good.length - 1, good.length + 1, 0, 0xffff]) {
      await writeFile(file, makeZip(good, { entryCount }));
      expect((await refusalOf(file)).message).toContain('damaged');
    }
    // the directory of a ZIP file with more than 65535 entries is found by a record of 64 bits
    const end = Buffer.alloc(56 + 20);
    end.write('PK\x06\x06', 0, 'latin1');
    end.writeBigUInt64LE(44n, 4);
    end.writeBigUInt64LE(1n << 31n, 24);
    end.writeBigUInt64LE(1n << 31n, 32);
    end.write('PK\x06\x07', 56, 'latin1');
    const zip = makeZip(good, { entryCount: 0xffff });
    const body = zip.subarray(0, zip.length - 22);
    end.writeBigUInt64LE(BigInt(body.length), 56 + 8);
    end.writeUInt32LE(1, 56 + 16);
    await writeFile(file, Buffer.concat([body, end, zip.subarray(zip.length - 22)]));
    expect((await refusalOf(file)).message).toContain('damaged: it holds 2147483648 entries');
  });

  test('with a text that is none, or another name in front of the data, is refused or says the same', async () => {
    const good = await listGoodEntries();
    const manifest = Buffer.from(good.find(({ name }) => name === 'manifest.json')?.content ?? '');
    manifest[manifest.indexOf('central') + 1] = 0xff;
    expect(await refuseZip(await spoilEntry('manifest.json', { content: manifest }))).toContain('is not text');
    const file = path.join(folder, 'names.zip');
    await writeFile(file, makeZip(await spoilEntry('after.sql', { localName: '../../.bashrc' })));
    expect((await readAll(file)).texts).toEqual(Object.values(contents));
  });

  test.each([
    '../after.sql',
    '/etc/passwd',
    'data/../../x.copy',
    'C:\\after.sql',
    '\\\\server\\share',
    'after.sql\0.txt',
    'AFTER.SQL',
    'data/000001.copy/',
    'data/\u0660\u0660\u0660\u0660\u0660\u0661.copy',
    '',
  ])('with an entry named %j is refused', async (name) => {
    expect(await refuseZip([...(await listGoodEntries()), { name, content: 'x' }])).toContain('damaged');
  });
});

describe('a manifest', () => {
  const good = JSON.stringify(
    makeManifest({
      'data/000001.copy': { bytes: 8, sha256: 'a'.repeat(64) },
      'schema/pre-data.sql': { bytes: 1, sha256: 'a'.repeat(64) },
      'schema/post-data.sql': { bytes: 1, sha256: 'a'.repeat(64) },
    }),
  );

  test('may come with fields that this program does not know', () => {
    expect(parseManifest(good.replace('{', '{"later": [1],'))).toEqual(parseManifest(good));
  });

  test('of a newer format is refused, whatever else it says', () => {
    const next = archiveFormatVersion + 1;
    expect(() => parseManifest(`{"formatVersion": ${next}}`)).toThrow(
      `has format ${next}, this program reads up to ${archiveFormatVersion}`,
    );
  });

  test.each([
    ['nothing', '', 'not JSON'],
    ['a list', '[]', 'not an object'],
    ['null', 'null', 'not an object'],
    ['a wrong version', good.replace('"formatVersion":', '"formatVersion":"1","x":'), 'formatVersion'],
    ['a wrong package id', good.replaceAll(packageId, 'x'), 'packageId'],
    ['a snapshot that is none', good.replace('10:20:12,15', `10:20:'); drop`), 'snapshot'],
    ['an empty name', good.replace('"x"', '""'), 'columns'],
    ['a name with a zero byte', good.replace('"x"', '"\\u0000"'), 'columns'],
    ['a name longer than any', good.replace('"x"', `"${'é'.repeat(32)}"`), 'columns'],
    ['a name that is a number', good.replace('"x"', '1'), 'columns'],
    ['no size of the rows', good.replace('"bytes":8,"entry"', '"entry"'), 'bytes'],
    ['a negative number of rows', good.replace('"rows":2', '"rows":-2'), 'rows'],
    ['an entry outside', good.replaceAll('data/000001.copy', '../x'), 'entry'],
    ['no checksum', good.replace('a'.repeat(64), 'a'.repeat(63)), 'sha256'],
    [
      'an entry of no table',
      good.replace('"schema/pre-data.sql"', '"data/000002.copy"'),
      'schema/pre-data.sql has no checksum',
    ],
    ['a value that is no number', good.replace('9223372036854775807', '1e9'), 'lastValue'],
  ])('with %s is refused', (_name, text, message) => {
    expect(() => parseManifest(text)).toThrow(LizsyncError);
    expect(() => parseManifest(text)).toThrow(message);
  });

  test('that lists a table, or an entry, twice is refused', () => {
    const manifest = JSON.parse(good) as Manifest;
    const [table] = manifest.tables;
    expect(() => parseManifest(JSON.stringify({ ...manifest, tables: [table, table] }))).toThrow('share one entry');
  });
});

describe('a schema script', () => {
  const sections: SchemaSection[] = [
    { kind: 'schema', identity: '"A ""b"""', sql: 'create schema "A ""b""";' },
    {
      kind: 'function',
      identity: 'f(text)',
      sql: "create function f(text) ...\n-- lizsync something else {}\n  'É\\n';",
    },
    { kind: 'detail', identity: '', sql: 'grant ...;', roles: ['"R"', 'public'] },
  ];

  test('is taken apart as it was put together', () => {
    const text = writeSchemaScript(sections, packageId);
    expect(readSchemaScript(text, packageId, 'x')).toEqual(sections);
    expect(readSchemaScript(writeSchemaScript([], packageId), packageId, 'x')).toEqual([]);
  });

  test('that is something else is refused', () => {
    const text = writeSchemaScript(sections, packageId);
    expect(() => readSchemaScript(`drop table x;\n${text}`, packageId, 'x')).toThrow('does not begin with a section');
    expect(() => readSchemaScript(text.replace('"function"', '"spell"'), packageId, 'x')).toThrow('does not know');
    expect(() => readSchemaScript(text.replace('{"kind"', '{kind'), packageId, 'x')).toThrow('does not know');
  });
});

describe('writing an archive', () => {
  test('leaves nothing, and what was there, when a source fails', async () => {
    const directory = await mkdtemp(path.join(folder, 'failing-'));
    const file = path.join(directory, 'package.zip');
    await writeFile(file, 'before');
    async function* fail(): AsyncGenerator<Buffer> {
      for (let chunk = 0; chunk < 100; chunk += 1) yield Buffer.alloc(100_000, chunk);
      throw new Error('the source fails');
    }
    const work = writeArchive(
      file,
      { compression: 'deflate', compressionLevel: 1 },
      (archive) => archive.add('data/000001.copy', Readable.from(fail())),
      async () => {},
    );
    await expect(work).rejects.toThrow('the source fails');
    expect(await readdir(directory)).toEqual(['package.zip']);
    expect(await readFile(file, 'utf8')).toBe('before');
  });

  test('leaves nothing when what must happen before the end fails, and has no name until then', async () => {
    const directory = await mkdtemp(path.join(folder, 'unfinished-'));
    const file = path.join(directory, 'package.zip');
    const work = writeArchive(
      file,
      { compression: 'deflate', compressionLevel: 1 },
      (archive) => archive.add('after.sql', 'x'),
      async () => {
        const names = await readdir(directory);
        expect(names).toHaveLength(1);
        expect(names[0]).toMatch(/^package\.zip\.partial-/);
        throw new Error('the central is gone');
      },
    );
    await expect(work).rejects.toThrow('the central is gone');
    expect(await readdir(directory)).toEqual([]);
  });
});
