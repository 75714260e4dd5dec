import { damaged } from './manifest.js';

/**
 * What a section creates. Objects of the first kinds may be there already when a clone is deployed again, and may be used
 * by others; tables and details (constraints, indexes, triggers, comments, ...) belong to the packaged tables.
 */
export const sectionKinds = [
  'schema',
  'type',
  'collation',
  'function',
  'text search dictionary',
  'text search configuration',
  'sequence',
  'view',
  'materialized view',
  'table',
  'detail',
] as const;
export type SectionKind = (typeof sectionKinds)[number];

export interface SchemaSection {
  kind: SectionKind;
  /**
   * Name with schema, quoted as SQL needs it, with argument types for a function. Of a detail: the view that it is of; empty
   * when it is of a table.
   */
  identity: string;
  /** One or more statements. */
  sql: string;
  /**
   * Roles that the statement names, quoted as SQL needs it: it grants something to one, or is a policy with a line
   * "to ...". Where such a role doesn't exist there is nothing to say about it.
   */
  roles?: string[] | undefined;
}

/**
 * Writes sections as a script that people can read, and run with psql: each begins with a comment that says what it is.
 * @param packageId makes the comments unlike anything in the statements
 */
export function writeSchemaScript(sections: SchemaSection[], packageId: string): string {
  return sections
    .map(({ sql, ...header }) => `${sectionMark(packageId)}${JSON.stringify(header)}\n${sql}\n`)
    .join('\n');
}

/**
 * Takes a script apart that `writeSchemaScript` wrote.
 * @throws LizsyncError when it is something else
 */
export function readSchemaScript(text: string, packageId: string, entryName: string): SchemaSection[] {
  if (text === '') return [];
  const [start, ...parts] = `\n${text}`.split(`\n${sectionMark(packageId)}`);
  if (start !== '') throw damaged(`${entryName} does not begin with a section`);
  return parts.map((part) => {
    const end = part.indexOf('\n');
    return { ...readHeader(part.slice(0, end), entryName), sql: part.slice(end + 1).trimEnd() };
  });
}

function readHeader(text: string, entryName: string): Omit<SchemaSection, 'sql'> {
  try {
    const { kind, identity, roles } = JSON.parse(text) as { kind: unknown; identity: unknown; roles?: unknown };
    const known = sectionKinds.find((name) => name === kind);
    if (known !== undefined && typeof identity === 'string' && (roles === undefined || isListOfTexts(roles))) {
      return { kind: known, identity, ...(roles === undefined ? {} : { roles }) };
    }
  } catch {
    // the same error as for a wrong header
  }
  throw damaged(`${entryName} has a section that this program does not know`);
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function sectionMark(packageId: string): string {
  return `-- lizsync ${packageId} `;
}
