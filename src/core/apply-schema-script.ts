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
  let batch = '';
  const flush = async (): Promise<void> => {
    const text = batch;
    batch = '';
    if (text !== '') await run(connection, text, source);
  };
  for (const section of sections) {
    if (kept.has(section.identity) && dropStatements[section.kind] !== undefined) {
      await flush();
      await replaceObject(connection, section, source);
      continue;
    }
    batch += `${section.sql}\n`;
    if (batch.length >= batchLength) await flush();
  }
  await flush();
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

async function run(connection: Connection, text: string, source: string): Promise<void> {
  try {
    await connection.queryBatch(text);
  } catch (error) {
    throw locateSqlError(error, source, text);
  }
}
