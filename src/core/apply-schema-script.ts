import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { LizsyncError } from '../errors.js';
import { dropUnusedObjects, isShared, readDefinition, type SharedSection } from './shared-objects.js';
import { locateSqlError } from './sql-file-error.js';

/** Statements go to the server in pieces of about this many characters, to save round trips. */
const batchLength = 100_000;

/**
 * Runs the sections of a script. Objects that other things in the database may use (types, functions, ...) and that exist
 * already stay when they are the same.
 *
 * @param source of the script, for errors
 * @param isOurs whether what exists was made by an earlier run, so that what differs is replaced where it can be
 * @throws LizsyncError that shows the statement which failed, or names what stands in the way
 */
export async function applySchemaScript(
  connection: Connection,
  sections: SchemaSection[],
  source: string,
  isOurs: boolean,
): Promise<void> {
  const shared = sections.filter(isShared);
  const existing = isOurs ? await dropUnusedObjects(connection, shared) : await findExisting(connection, shared);
  let batch: SchemaSection[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await runBatch(connection, batch, source);
    batch = [];
    length = 0;
  };
  for (const section of sections) {
    if (isShared(section) && existing.has(section.identity)) {
      await flush();
      await keepOrReplace(connection, section, source, isOurs);
      continue;
    }
    batch.push(section);
    length += section.sql.length;
    if (length >= batchLength) await flush();
  }
  await flush();
}

async function findExisting(connection: Connection, sections: SharedSection[]): Promise<Set<string>> {
  const existing = new Set<string>();
  for (const section of sections) {
    if ((await readDefinition(connection, section)) !== undefined) existing.add(section.identity);
  }
  return existing;
}

async function keepOrReplace(
  connection: Connection,
  section: SharedSection,
  source: string,
  isOurs: boolean,
): Promise<void> {
  const { kind, identity, sql } = section;
  if (isOurs && kind === 'function') {
    await run(connection, sql, source);
    return;
  }
  if (isOurs && kind === 'sequence') {
    await run(connection, sql.replace(/^create sequence (.*);$/s, 'alter sequence $1 restart;'), source);
    return;
  }
  // two that are the same may not share a sequence
  if (kind !== 'sequence' && (await readDefinition(connection, section)) === sql) return;
  throw new LizsyncError(
    `the ${kind} ${identity} of the clone is another one than the central's${isOurs ? ', and is used' : ''}`,
    {
      hint: isOurs
        ? `Drop what uses it in the clone, then deploy again: drop ${kind} ${identity};`
        : 'Rename or drop it, or deploy into another database.',
    },
  );
}

/** Runs sections together; only when that fails, one after the other, to find out which it is. */
async function runBatch(connection: Connection, batch: SchemaSection[], source: string): Promise<void> {
  await connection.queryBatch('savepoint run_batch');
  try {
    await connection.queryBatch(batch.map(({ sql }) => sql).join('\n'));
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.isConnectionFailure) throw error;
    await connection.queryBatch('rollback to savepoint run_batch');
    for (const { sql } of batch) await run(connection, sql, source);
  }
  await connection.queryBatch('release savepoint run_batch');
}

async function run(connection: Connection, sql: string, source: string): Promise<void> {
  try {
    await connection.queryBatch(sql);
  } catch (error) {
    const located = locateSqlError(error, source, sql);
    const hasPosition = error instanceof DatabaseError && error.position !== undefined;
    if (hasPosition || !(located instanceof LizsyncError)) throw located;
    throw new LizsyncError(located.message, {
      details: [`statement: ${abbreviate(sql)}`, ...located.details],
      hint: located.hint,
      exitCode: located.exitCode,
      cause: error,
    });
  }
}

function abbreviate(sql: string): string {
  return sql.length <= 500 ? sql : `${sql.slice(0, 500)} ...`;
}
