import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { locateSqlError } from './sql-file-error.js';

/** What may be used by others in the clone, so may have to stay when the clone is deployed again. */
const dropStatements: Partial<Record<SchemaSection['kind'], string>> = {
  type: 'drop type',
  function: 'drop routine',
  sequence: 'drop sequence',
  collation: 'drop collation',
};

const dependentObjectsExist = '2BP01';

/** Statements go to the server in pieces of about this many characters, to save round trips. */
const batchLength = 100_000;

/**
 * Drops those objects of a package that are in the clone already and that nothing else uses.
 * @returns the identities of those that stay
 */
export async function dropUnusedObjects(connection: Connection, sections: SchemaSection[]): Promise<Set<string>> {
  const kept = new Set<string>();
  for (const { kind, identity } of sections.toReversed()) {
    const drop = dropStatements[kind];
    if (drop === undefined) continue;
    await connection.queryBatch('savepoint drop_object');
    try {
      await connection.queryBatch(`${drop} if exists ${identity}`);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.sqlstate !== dependentObjectsExist) throw error;
      await connection.queryBatch('rollback to savepoint drop_object');
      kept.add(identity);
    }
    await connection.queryBatch('release savepoint drop_object');
  }
  return kept;
}

/**
 * Runs the sections of a script.
 * @param kept identities of objects that exist: they are replaced where PostgreSQL can do that, else must be equal
 * @param source of the script, for errors
 * @throws LizsyncError that shows the statement which failed
 */
export async function applySchemaScript(
  connection: Connection,
  sections: SchemaSection[],
  kept: Set<string>,
  source: string,
): Promise<void> {
  let batch: SchemaSection[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await runBatch(connection, batch, source);
    batch = [];
    length = 0;
  };
  for (const section of sections) {
    if (kept.has(section.identity) && dropStatements[section.kind] !== undefined) {
      await flush();
      await replaceObject(connection, section, source);
      continue;
    }
    batch.push(section);
    length += section.sql.length;
    if (length >= batchLength) await flush();
  }
  await flush();
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

async function replaceObject(connection: Connection, section: SchemaSection, source: string): Promise<void> {
  const { kind, identity, sql } = section;
  if (kind === 'function') {
    await run(connection, sql, source);
    return;
  }
  if (kind === 'sequence') {
    await run(connection, sql.replace(/^create sequence /, 'alter sequence '), source);
    return;
  }
  const [found] = await connection.query<{ oid: number | null }>(readSqlFile('queries/deploy-find-object.sql'), [
    kind,
    identity,
  ]);
  const [existing] = await connection.query<{ statement: string | null }>(
    readSqlFile(`queries/package-define-${kind}s.sql`),
    [[found?.oid ?? null]],
  );
  if (existing?.statement === sql) return;
  throw new LizsyncError(`the ${kind} ${identity} of the clone is another one than the central's, and is used`, {
    hint: `Drop what uses it in the clone, then deploy again: drop ${kind} ${identity};`,
  });
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
