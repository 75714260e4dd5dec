import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import type { ProgressCallback } from './progress.js';

/**
 * Leaves out of a script what is about roles that the clone's server does not have: rights that they get, and policies
 * for them alone. Nothing is allowed by that which was not allowed before.
 */
export async function adaptToRoles(
  clone: Connection,
  sections: SchemaSection[],
  onProgress: ProgressCallback,
): Promise<SchemaSection[]> {
  const roles = [...new Set(sections.flatMap((section) => section.roles ?? []))];
  if (roles.length === 0) return withoutUnknownRights(clone, sections);
  const rows = await clone.query<{ role: string; exists: boolean }>(readSqlFile('queries/deploy-find-roles.sql'), [
    roles,
  ]);
  const missing = new Set(rows.filter((row) => !row.exists).map(({ role }) => role));
  if (missing.size > 0) {
    onProgress({
      kind: 'warning',
      text: `these roles of the central are not on the clone's server, so get no rights there: ${[...missing].join(', ')}`,
      hint: 'Create them, then deploy again, where people work with them in the clone.',
    });
  }
  return withoutUnknownRights(
    clone,
    sections.flatMap((section) => {
      if (section.roles === undefined) return [section];
      const present = section.roles.filter((role) => !missing.has(role));
      if (present.length === 0) return [];
      const line = (names: string[]): string => `\n    to ${names.join(', ')}`;
      return [{ ...section, sql: section.sql.replace(line(section.roles), () => line(present)) }];
    }),
  );
}

/** The right MAINTAIN, part of ALL, is new in PostgreSQL 17; a statement that grants it grants nothing else. */
function withoutUnknownRights(clone: Connection, sections: SchemaSection[]): SchemaSection[] {
  if (clone.serverVersion >= 17) return sections;
  return sections.filter(({ sql }) => !sql.startsWith('grant maintain on '));
}
