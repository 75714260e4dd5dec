import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import type { DatabaseError } from '../db/postgres-error.js';
import { LizsyncError } from '../errors.js';
import { dropTables } from './plan-tables.js';
import { tryStatements } from './try-statements.js';

/** Statements go to the server together as long as they succeed. */
const batchSize = 200;

// text search objects that exist violate a unique index of the catalog
const duplicateCodes = new Set(['42P06', '42P07', '42710', '42723', '23505']);
const undefinedCodes = new Set(['3F000', '42P01', '42703', '42704', '42883']);

interface Failure {
  section: SchemaSection;
  error: DatabaseError;
}

/**
 * Runs the definitions of a package, made on a newer PostgreSQL, without rows, to find all that the clone's server does not
 * have. Needs a transaction, which is as before afterwards.
 * @param existing quoted names of tables that would be dropped before
 * @param sections in the order in which they would run
 * @param newerVersion major version of the central's server
 * @throws LizsyncError that names every statement which the server refuses
 */
export async function rehearseDefinitions(
  clone: Connection,
  existing: string[],
  sections: SchemaSection[],
  newerVersion: number,
): Promise<void> {
  await clone.queryBatch('savepoint rehearse; set local check_function_bodies = off');
  if (existing.length > 0) await dropTables(clone, existing);
  const failures: Failure[] = [];
  for (let at = 0; at < sections.length; at += batchSize) {
    const batch = sections.slice(at, at + batchSize);
    if ((await tryStatements(clone, batch.map(({ sql }) => sql).join('\n'))) === undefined) continue;
    for (const section of batch) {
      const error = await tryStatements(clone, section.sql);
      // what exists is compared when it comes to it
      if (error !== undefined && !duplicateCodes.has(error.sqlstate ?? '')) failures.push({ section, error });
    }
  }
  await clone.queryBatch('rollback to savepoint rehearse; release savepoint rehearse');
  const causes = failures.filter((failure) => !isConsequence(failure, failures));
  if (causes.length === 0) return;
  throw new LizsyncError(
    `the clone's PostgreSQL ${clone.serverVersion} does not have all that the package of PostgreSQL ${newerVersion} needs`,
    {
      details: causes.map(({ section, error }) => `${error.message}: ${abbreviate(section.sql)}`),
      hint: "Upgrade the clone's server, or do without this in the central.",
    },
  );
}

/** Whether a statement failed because it names what one that failed before would have made. */
function isConsequence({ section, error }: Failure, failures: Failure[]): boolean {
  if (!undefinedCodes.has(error.sqlstate ?? '')) return false;
  const before = failures.slice(
    0,
    failures.findIndex((other) => other.section === section),
  );
  return before.some(({ section: { kind, identity, sql } }) => {
    // of a column or a constraint the statement itself is all that tells its name
    if (kind !== 'detail') return section.sql.includes(identity.replace(/\(.*/, ''));
    const [, name = ''] = /^alter table (?:only )?.+? add constraint ("(?:[^"]|"")+"|\S+) /.exec(sql) ?? [];
    return name !== '' && section.sql.includes(name);
  });
}

function abbreviate(sql: string): string {
  const line = sql.replace(/\s+/g, ' ');
  return line.length <= 300 ? line : `${line.slice(0, 300)} ...`;
}
