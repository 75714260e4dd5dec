import { LizsyncError } from '../errors.js';
import { type Compression, maximalBrotliRatio } from './compression.js';

/** The format that this program writes, and the newest that it reads. */
export const archiveFormatVersion = 2;

/** The first in which rows may be compressed with brotli, and tables have a number of bytes. */
const versionWithBrotli = 2;

export const manifestEntryName = 'manifest.json';
export const preDataEntryName = 'schema/pre-data.sql';
export const postDataEntryName = 'schema/post-data.sql';
/** Views, and what only they use; not in every package. */
export const viewsEntryName = 'schema/views.sql';
export const afterEntryName = 'after.sql';

/** Larger texts are neither written nor read: they are held in memory. */
export const maximalTextBytes = 64 * 1024 * 1024;

/** The same for the manifest, of which parsing makes many times its size. */
export const maximalManifestBytes = 16 * 1024 * 1024;

/** Archives with more entries, tables mostly, are not read. */
export const maximalEntries = 100_000;

/** A manifest is not nested deeper; what is may be made to exhaust the memory. */
const maximalDepth = 16;

const dataEntryPattern = /^data\/\d{6}\.copy(\.br)?$/;
const brotliSuffix = '.br';
const sha256Pattern = /^[0-9a-f]{64}$/;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const snapshotPattern = /^\d+:\d+:(\d+(,\d+)*)?$/;

/** What every entry must be when ZIP programs extract it: its size in bytes, and its SHA-256 in hex. */
export interface EntryDigest {
  bytes: number;
  sha256: string;
}

export interface PackagedTable {
  schema: string;
  name: string;
  /** The columns of the data entry, in its order. */
  columns: string[];
  /** Columns that are not synchronised: they are in the definition of the table, not in the data. */
  excludedColumns: string[];
  rows: number;
  /** Size of the rows, uncompressed. */
  bytes: number;
  /** Name of the entry with the rows, in the text format of COPY; one that ends with .br is compressed with brotli. */
  entry: string;
}

export interface PackagedSequence {
  schema: string;
  name: string;
  /** As text: it may be larger than a number can hold exactly. */
  lastValue: string;
  isCalled: boolean;
}

export interface NeededExtension {
  name: string;
  version: string;
  /** Where it is installed in the central. */
  schema: string;
}

/** What a package says about itself; everything else in it is named here with its SHA-256. */
export interface Manifest {
  formatVersion: number;
  lizsyncVersion: string;
  /** As server_version_num, such as 150008. */
  postgresVersion: number;
  packageId: string;
  createdAt: string;
  central: { serverId: string; serverName: string; systemIdentifier: string; databaseOid: number };
  /** What the package holds of the central's log: a pg_snapshot. */
  snapshot: string;
  extensions: NeededExtension[];
  tables: PackagedTable[];
  sequences: PackagedSequence[];
  entries: Record<string, EntryDigest>;
}

/** The name of the entry with the rows of the table that is `index`-th in the manifest, from 0. */
export function nameDataEntry(index: number, compression: Compression): string {
  return `data/${String(index + 1).padStart(6, '0')}.copy${compression === 'brotli' ? brotliSuffix : ''}`;
}

/** Whether an entry holds what brotli made, which ZIP programs know nothing of. */
export function isBrotliEntry(name: string): boolean {
  return name.endsWith(brotliSuffix);
}

/** Whether a package may hold an entry of this name. */
export function isKnownEntryName(name: string): boolean {
  return (
    name === manifestEntryName ||
    name === preDataEntryName ||
    name === postDataEntryName ||
    name === viewsEntryName ||
    name === afterEntryName ||
    dataEntryPattern.test(name)
  );
}

export function damaged(what: string, cause?: unknown): LizsyncError {
  return new LizsyncError(`the archive is damaged: ${what}`, {
    hint: 'Copy the archive again, or make a new one with lizsync package.',
    cause,
  });
}

/**
 * Reads a manifest that came with an archive. Nothing in it is believed before its form is checked.
 * @throws LizsyncError when it is not a manifest, or one of a newer format
 */
export function parseManifest(text: string): Manifest {
  if (isTooDeep(text)) throw damaged(`${manifestEntryName} is nested too deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(`${manifestEntryName} is not JSON`, error);
  }
  const manifest = new Reader(value, manifestEntryName);
  const formatVersion = manifest.integer('formatVersion');
  if (formatVersion > archiveFormatVersion) {
    throw new LizsyncError(
      `the archive has format ${formatVersion}, this program reads up to ${archiveFormatVersion}`,
      { hint: 'Install a newer lizsync on this machine.' },
    );
  }
  const central = manifest.object('central');
  const entries: Record<string, EntryDigest> = Object.fromEntries(
    manifest.entries('entries').map(([name, entry]) => {
      if (!isKnownEntryName(name) || name === manifestEntryName) throw damaged(`it names an entry ${quote(name)}`);
      return [name, { bytes: entry.integer('bytes'), sha256: entry.string('sha256', sha256Pattern) }];
    }),
  );
  const parsed: Manifest = {
    formatVersion,
    lizsyncVersion: manifest.string('lizsyncVersion'),
    postgresVersion: manifest.integer('postgresVersion'),
    packageId: manifest.string('packageId', uuidPattern),
    createdAt: manifest.string('createdAt'),
    central: {
      serverId: central.string('serverId', uuidPattern),
      serverName: central.string('serverName'),
      systemIdentifier: central.string('systemIdentifier', /^-?\d+$/),
      databaseOid: central.integer('databaseOid'),
    },
    snapshot: manifest.string('snapshot', snapshotPattern),
    extensions: manifest.objects('extensions').map((extension) => ({
      name: extension.identifier('name'),
      version: extension.string('version'),
      schema: extension.identifier('schema'),
    })),
    tables: manifest.objects('tables').map((table) => ({
      schema: table.identifier('schema'),
      name: table.identifier('name'),
      columns: table.identifiers('columns'),
      excludedColumns: table.identifiers('excludedColumns'),
      rows: table.integer('rows'),
      bytes: formatVersion < versionWithBrotli ? sizeOf(entries, table.string('entry')) : table.integer('bytes'),
      entry: table.string('entry', dataEntryPattern),
    })),
    sequences: manifest.objects('sequences').map((sequence) => ({
      schema: sequence.identifier('schema'),
      name: sequence.identifier('name'),
      lastValue: sequence.string('lastValue', /^-?\d+$/),
      isCalled: sequence.boolean('isCalled'),
    })),
    entries,
  };
  checkReferences(parsed);
  return parsed;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let place = 0; place < text.length; place += 1) {
    const character = text[place];
    if (inString) {
      if (character === '\\') place += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === '[' || character === '{') {
      depth += 1;
      if (depth > maximalDepth) return true;
    } else if (character === ']' || character === '}') {
      depth -= 1;
    }
  }
  return false;
}

function checkReferences(manifest: Manifest): void {
  const wanted = [preDataEntryName, postDataEntryName, ...manifest.tables.map((table) => table.entry)];
  const missing = wanted.find((name) => !Object.hasOwn(manifest.entries, name));
  if (missing !== undefined) throw damaged(`${missing} has no checksum`);
  if (new Set(wanted).size !== wanted.length) throw damaged('two tables share one entry');
  const tables = manifest.tables.map((table) => JSON.stringify([table.schema, table.name]));
  if (new Set(tables).size !== tables.length) throw damaged('a table is listed twice');
  for (const { entry, bytes } of manifest.tables) checkSize(entry, bytes, sizeOf(manifest.entries, entry));
  const optional = [viewsEntryName, afterEntryName];
  const unused = Object.keys(manifest.entries).find((name) => !wanted.includes(name) && !optional.includes(name));
  if (unused !== undefined) throw damaged(`${unused} belongs to no table`);
}

function sizeOf(entries: Record<string, EntryDigest>, name: string): number {
  return Object.hasOwn(entries, name) ? (entries[name]?.bytes ?? 0) : 0;
}

/** Refuses rows that can't be in their entry, before anything of it is read. */
function checkSize(entry: string, bytes: number, entryBytes: number): void {
  if (!isBrotliEntry(entry) && bytes !== entryBytes)
    throw damaged(`${entry} has two sizes, ${bytes} and ${entryBytes}`);
  if (bytes > entryBytes * maximalBrotliRatio) {
    throw damaged(`${entry} would grow from ${entryBytes} to ${bytes} bytes`);
  }
}

/** Takes values of the expected kind out of parsed JSON, or says where they are wrong. */
class Reader {
  private readonly fields: Record<string, unknown>;

  constructor(
    value: unknown,
    private readonly path: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(`${path} is not an object`);
    this.fields = value as Record<string, unknown>;
  }

  string(name: string, pattern?: RegExp): string {
    const value = this.take(name);
    if (typeof value !== 'string' || (pattern !== undefined && !pattern.test(value))) throw this.wrong(name);
    return value;
  }

  /** A name that PostgreSQL can have given to something. */
  identifier(name: string): string {
    return this.checkIdentifier(name, this.take(name));
  }

  identifiers(name: string): string[] {
    return this.array(name).map((value) => this.checkIdentifier(name, value));
  }

  integer(name: string): number {
    const value = this.take(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.wrong(name);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.take(name);
    if (typeof value !== 'boolean') throw this.wrong(name);
    return value;
  }

  object(name: string): Reader {
    return new Reader(this.take(name), `${this.path}: ${name}`);
  }

  objects(name: string): Reader[] {
    return this.array(name).map((value, index) => new Reader(value, `${this.path}: ${name}[${index}]`));
  }

  entries(name: string): [string, Reader][] {
    const { fields } = this.object(name);
    return Object.entries(fields).map(([key, value]) => [
      key,
      new Reader(value, `${this.path}: ${name}: ${quote(key)}`),
    ]);
  }

  private array(name: string): unknown[] {
    const value = this.take(name);
    if (!Array.isArray(value)) throw this.wrong(name);
    return value;
  }

  private checkIdentifier(name: string, value: unknown): string {
    if (typeof value !== 'string' || value === '' || value.includes('\0') || Buffer.byteLength(value) > 63) {
      throw this.wrong(name);
    }
    return value;
  }

  private take(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? this.fields[name] : undefined;
  }

  private wrong(name: string): LizsyncError {
    return damaged(`${this.path}: ${name} is missing or wrong`);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
