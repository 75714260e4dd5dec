import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { type ArchiveWriter, writeArchive } from '../archive/archive-writer.js';
import type { Compression } from '../archive/compression.js';
import {
  afterEntryName,
  archiveFormatVersion,
  type EntryDigest,
  type Manifest,
  manifestEntryName,
  maximalManifestBytes,
  maximalTextBytes,
  nameDataEntry,
  type PackagedSequence,
  type PackagedTable,
  postDataEntryName,
  preDataEntryName,
  viewsEntryName,
} from '../archive/manifest.js';
import { writeSchemaScript } from '../archive/schema-script.js';
import { type Connection, openConnection, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError, UsageError } from '../errors.js';
import { choosePackageTables, type PackageTable, type TableName } from './choose-package-tables.js';
import type { ProgressCallback } from './progress.js';
import { readTableDefinitions, type TableDefinitions } from './read-table-definitions.js';
import { readViewDefinitions } from './read-view-definitions.js';
import { requireServer } from './require-server.js';
import { toolVersion } from './tool-version.js';
import { createTransferMeter } from './transfer-meter.js';

export interface CreatePackageOptions {
  central: ConnectionSettings;
  /** All tables of these schemas. */
  schemas: string[];
  /** These tables. */
  tables?: TableName[] | undefined;
  /** Path of the archive; an existing file is replaced when the package is complete. */
  output: string;
  /** Path of a file with SQL that runs in the clone at the end of deploy. */
  sqlAfter?: string | undefined;
  /** Takes along the views of the tables' schemas. */
  withViews?: boolean | undefined;
  /** How many tables are read at a time, each over a connection of its own; default 2. */
  jobs?: number | undefined;
  /** How rows are compressed; default: with brotli. */
  compression?: Compression | undefined;
  /** 1 (quickest) to 9 (smallest); default: by the kind of compression. */
  compressionLevel?: number | undefined;
  /** Ends the work, and leaves nothing, when it is aborted. */
  signal?: AbortSignal | undefined;
}

export interface CreatePackageResult {
  file: string;
  packageId: string;
  /** What the package holds of the central's log: a pg_snapshot. */
  snapshot: string;
  tables: number;
  rows: number;
  views: number;
  /** Size of the archive. */
  bytes: number;
  /** What of the tables and schemas is not in the package, in words. */
  leftOut: string[];
}

/**
 * Writes prepared tables of the central, as they are at one moment, into an archive. People go on working meanwhile.
 * The archive has its name only when it is complete; after a failure there is none.
 * @throws LizsyncError when tables are not prepared or can't be carried
 * @throws UsageError when they don't exist, or the archive can't be written there
 */
export async function createPackage(
  options: CreatePackageOptions,
  onProgress: ProgressCallback = () => {},
): Promise<CreatePackageResult> {
  const after = options.sqlAfter === undefined ? undefined : await readSqlAfter(options.sqlAfter);
  const file = path.resolve(options.output);
  const { signal } = options;
  return withConnection(
    options.central,
    async (connection) => {
      const chosen = await withTransaction(connection, { readOnly: true }, async () => {
        await requireServer(connection, 'central');
        return choosePackageTables(connection, options.schemas, options.tables ?? [], options.withViews);
      });
      for (const text of chosen.leftOut) onProgress({ kind: 'warning', text: `not in the package: ${text}` });
      await adoptCopy(connection, onProgress);
      const packageId = randomUUID();
      await connection.begin({ isolation: 'repeatable read' });
      try {
        // Locks come before the snapshot, so that it sees the definitions that the locks hold.
        await lockTables(connection, chosen.tables);
        const { bytes, result } = await writeArchive(
          file,
          { compression: compressionOf(options), compressionLevel: options.compressionLevel, signal },
          (archive) =>
            fillArchive({ connection, archive, packageId, chosen: chosen.tables, after, options }, onProgress),
          async ({ manifest, manifestSha256 }) => {
            await registerPackage(connection, manifest, manifestSha256);
            await connection.commit();
          },
        );
        const { manifest, views, leftOut } = result;
        return {
          file,
          packageId,
          snapshot: manifest.snapshot,
          tables: manifest.tables.length,
          rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
          views,
          bytes,
          leftOut: [...chosen.leftOut, ...leftOut],
        };
      } catch (error) {
        await connection.rollback();
        throw error;
      }
    },
    { role: 'central', signal },
  );
}

interface Filling {
  connection: Connection;
  archive: ArchiveWriter;
  packageId: string;
  chosen: PackageTable[];
  after: string | undefined;
  options: CreatePackageOptions;
}

async function fillArchive(
  filling: Filling,
  onProgress: ProgressCallback,
): Promise<{ manifest: Manifest; manifestSha256: string; views: number; leftOut: string[] }> {
  const { connection, archive, packageId, after, options } = filling;
  const source = await readSource(connection);
  const chosen = await choosePackageTables(connection, options.schemas, options.tables ?? []);
  checkUnchanged(filling.chosen, chosen.tables);

  onProgress({ kind: 'step', text: 'reading the definitions of the tables' });
  const oids = await expandTables(connection, chosen.tables);
  const definitions = await readTableDefinitions(connection, oids);
  const views = options.withViews
    ? await readViewDefinitions(connection, oids, listSchemas(chosen.tables, options))
    : undefined;
  const leftOut = [...definitions.leftOut, ...(views?.leftOut ?? [])];
  for (const text of leftOut) {
    onProgress({ kind: 'warning', text: `not in the package: ${text}` });
  }

  const entries: Record<string, EntryDigest> = {};
  const tables = await archiveRows(connection, { archive, tables: chosen.tables, entries, options }, onProgress);
  const sequences = await readSequences(connection, definitions);
  const texts: [string, string | undefined][] = [
    [preDataEntryName, writeSchemaScript(definitions.preData, packageId)],
    [postDataEntryName, writeSchemaScript(definitions.postData, packageId)],
    [viewsEntryName, views && writeSchemaScript(views.sections, packageId)],
    [afterEntryName, after],
  ];
  for (const [name, text] of texts) {
    if (text === undefined) continue;
    checkLength(name, text, maximalTextBytes);
    entries[name] = (await archive.add(name, text)).digest;
  }
  const manifest: Manifest = {
    formatVersion: archiveFormatVersion,
    lizsyncVersion: toolVersion,
    packageId,
    createdAt: new Date().toISOString(),
    ...source,
    extensions: views?.extensions ?? definitions.extensions,
    tables,
    sequences,
    entries,
  };
  const manifestText = `${JSON.stringify(manifest, undefined, 2)}\n`;
  checkLength(manifestEntryName, manifestText, maximalManifestBytes);
  const { digest } = await archive.add(manifestEntryName, manifestText);
  return { manifest, manifestSha256: digest.sha256, views: views?.views ?? 0, leftOut };
}

function compressionOf({ compression }: CreatePackageOptions): Compression {
  return compression ?? 'brotli';
}

function checkLength(name: string, text: string, maximalBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maximalBytes) return;
  throw new LizsyncError(`${name} would have ${bytes} bytes, more than the ${maximalBytes} that deploy reads`, {
    hint: 'Make several packages of fewer tables for several clones, or a smaller file for --sql-after.',
  });
}

/** A central that was copied or restored from a dump begins anew with the first package that is made of it. */
async function adoptCopy(connection: Connection, onProgress: ProgressCallback): Promise<void> {
  const [row] = await withTransaction(connection, {}, () =>
    connection.query<{ adopted: boolean }>('select lizsync.adopt_incarnation() as adopted'),
  );
  if (!row?.adopted) return;
  onProgress({
    kind: 'warning',
    text: 'the central is a copy or was restored from a dump: no clone can synchronise with it as before',
    hint: 'Deploy the new package to the clones that shall go on with this central.',
  });
}

async function readSqlAfter(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** No one may change the definitions of the tables until the package is complete; their rows anyone may. */
async function lockTables(connection: Connection, tables: PackageTable[]): Promise<void> {
  await connection.query(`lock table ${tables.map(quoteTable).join(', ')} in access share mode`);
}

async function readSource(connection: Connection): Promise<Pick<Manifest, 'postgresVersion' | 'central' | 'snapshot'>> {
  const [row] = await connection.query<{
    server_version: number;
    snapshot: string;
    server_id: string;
    server_name: string;
    system_identifier: string;
    database_oid: number;
  }>(readSqlFile('queries/package-read-source.sql'));
  if (row === undefined) throw new Error('no row from package-read-source.sql');
  return {
    postgresVersion: row.server_version,
    snapshot: row.snapshot,
    central: {
      serverId: row.server_id,
      serverName: row.server_name,
      systemIdentifier: row.system_identifier,
      databaseOid: row.database_oid,
    },
  };
}

function checkUnchanged(locked: PackageTable[], found: PackageTable[]): void {
  const name = (tables: PackageTable[]): string => tables.map(({ oid }) => oid).join();
  if (name(locked) === name(found)) return;
  throw new LizsyncError('tables were created or dropped while the package was begun', { hint: 'Try again.' });
}

function listSchemas(tables: PackageTable[], options: CreatePackageOptions): string[] {
  return [...new Set([...options.schemas, ...tables.map(({ schema }) => schema)])];
}

async function expandTables(connection: Connection, tables: PackageTable[]): Promise<number[]> {
  const rows = await connection.query<{ oid: number }>(readSqlFile('queries/package-expand-tables.sql'), [
    tables.map(({ oid }) => oid),
  ]);
  return rows.map(({ oid }) => oid);
}

interface Reading {
  archive: ArchiveWriter;
  tables: PackageTable[];
  entries: Record<string, EntryDigest>;
  options: CreatePackageOptions;
}

/** Reads all tables, the largest first, under the snapshot of the connection. */
async function archiveRows(
  connection: Connection,
  { archive, tables, entries, options }: Reading,
  onProgress: ProgressCallback,
): Promise<PackagedTable[]> {
  const meter = createTransferMeter(
    tables.map((table) => ({ ...table, rows: table.estimatedRows, bytes: table.estimatedBytes })),
    onProgress,
  );
  const packaged = new Map<PackageTable, PackagedTable>();
  const waiting = tables.toSorted((a, b) => b.estimatedBytes - a.estimatedBytes);
  const refused: PackageTable[] = [];
  const read = async (reader: Connection, table: PackageTable): Promise<void> => {
    const { schema, name, columns, excludedColumns } = table;
    const entry = nameDataEntry(tables.indexOf(table), compressionOf(options));
    const metered = { schema, name, rows: table.estimatedRows, bytes: table.estimatedBytes };
    const pass = meter.begin(metered);
    const copy = reader.copyOut(copyOutStatement(table));
    const { digest, bytes } = await archive.add(entry, copy as Readable, pass);
    entries[entry] = digest;
    const rows = await copy.completed;
    meter.finish(metered);
    packaged.set(table, { schema, name, columns, excludedColumns, rows, bytes, entry });
  };
  const readers = await openReaders(connection, Math.min(options.jobs ?? 2, tables.length) - 1, options, onProgress);
  try {
    await Promise.all([
      (async () => {
        for (let table = waiting.shift(); table !== undefined; table = waiting.shift()) await read(connection, table);
      })(),
      ...readers.map(async (reader) => {
        for (let table = waiting.shift(); table !== undefined; table = waiting.shift()) {
          if (await tryToLock(reader, table)) await read(reader, table);
          else refused.push(table);
        }
      }),
    ]);
    for (const table of refused) await read(connection, table);
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
  meter.end();
  return tables.flatMap((table) => packaged.get(table) ?? []);
}

/** Opens more connections that see the same snapshot; when the server allows fewer, those that it allows. */
async function openReaders(
  connection: Connection,
  count: number,
  options: CreatePackageOptions,
  onProgress: ProgressCallback,
): Promise<Connection[]> {
  const readers: Connection[] = [];
  if (count < 1) return readers;
  const [row] = await connection.query<{ name: string }>('select pg_catalog.pg_export_snapshot() as name');
  while (readers.length < count) {
    let reader: Connection | undefined;
    try {
      reader = await openConnection(options.central, { role: 'central', signal: options.signal });
      await reader.begin({ isolation: 'repeatable read', readOnly: true });
      await reader.queryBatch(`set transaction snapshot ${pg.escapeLiteral(row?.name ?? '')}`);
      readers.push(reader);
    } catch (error) {
      await reader?.close();
      if (!(error instanceof DatabaseError) || options.signal?.aborted) {
        await Promise.all(readers.map((other) => other.close()));
        throw error;
      }
      onProgress({ kind: 'warning', text: `fewer tables are read at a time: ${error.message}` });
      break;
    }
  }
  return readers;
}

/**
 * Somebody may wait to change a table, behind the lock that the package has on it: who waits behind them waits for ever.
 * The connection that has the lock can read it.
 */
async function tryToLock(reader: Connection, table: PackageTable): Promise<boolean> {
  await reader.queryBatch('savepoint lock_table');
  try {
    await reader.queryBatch(`lock table ${quoteTable(table)} in access share mode nowait`);
    return true;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlstate !== '55P03') throw error;
    await reader.queryBatch('rollback to savepoint lock_table');
    return false;
  }
}

/** A partitioned table is read through its root, so that its rows find their partitions anew. */
function copyOutStatement(table: PackageTable): string {
  const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  return table.isPartitioned
    ? `copy (select ${columns} from ${quoteTable(table)}) to stdout`
    : `copy ${quoteTable(table)} (${columns}) to stdout`;
}

/** Read after the rows: what the sequences have given out until now covers all of them. */
async function readSequences(connection: Connection, { sequences }: TableDefinitions): Promise<PackagedSequence[]> {
  if (sequences.length === 0) return [];
  const values = await connection.query<{ last_value: string; is_called: boolean }>(
    sequences
      .map(({ schema, name }, index) => {
        const sequence = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
        return `select ${index} as place, last_value, is_called from ${sequence}`;
      })
      .join(' union all ')
      .concat(' order by place'),
  );
  return sequences.map((sequence, index) => ({
    ...sequence,
    lastValue: values[index]?.last_value ?? '',
    isCalled: values[index]?.is_called ?? false,
  }));
}

async function registerPackage(connection: Connection, manifest: Manifest, sha256: string): Promise<void> {
  await connection.query('select lizsync.register_package($1, $2, $3, $4, $5)', [
    manifest.packageId,
    manifest.snapshot,
    sha256,
    manifest.tables.map(({ schema }) => schema),
    manifest.tables.map(({ name }) => name),
  ]);
}

function quoteTable({ schema, name }: { schema: string; name: string }): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}
