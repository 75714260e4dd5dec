import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { applySchemaScript } from './apply-schema-script.js';
import { dropUnusedObjects, isShared, readDefinition, type SharedSection } from './shared-objects.js';

/** Drops the views that a script makes, where they exist and nothing else in the clone uses them. */
export async function dropPackagedViews(clone: Connection, sections: SchemaSection[]): Promise<void> {
  await dropUnusedObjects(clone, sections.filter(isView));
}

/**
 * Makes the views of a package, whose tables are there with their rows. When all of those that exist are the same they
 * stay, and materialized ones are refreshed; else all are made anew that nothing else uses.
 * @param source of the script, for errors
 * @param isOurs whether the clone was deployed before
 * @throws LizsyncError when a view exists that is another
 */
export async function createViews(
  clone: Connection,
  sections: SchemaSection[],
  source: string,
  isOurs: boolean,
): Promise<void> {
  let existing = await compareViews(clone, sections);
  if (isOurs && [...existing.values()].includes(false)) {
    await dropPackagedViews(clone, sections);
    existing = await compareViews(clone, sections);
  }
  const isKept = ({ identity }: SchemaSection): boolean => existing.get(identity) === true;
  await clone.queryBatch('set local check_function_bodies = off');
  // one that stays has its triggers and indexes
  await applySchemaScript(
    clone,
    sections.filter((section) => !isKept(section)),
    source,
    isOurs,
  );
  await clone.queryBatch('set local check_function_bodies = on');
  for (const { kind, identity, sql } of sections.filter(isKept)) {
    if (kind !== 'materialized view') continue;
    const isEmpty = sql.endsWith('with no data;');
    await clone.queryBatch(`refresh materialized view ${identity}${isEmpty ? ' with no data' : ''}`);
  }
}

/** Those of the views that exist, and whether they are the same. */
async function compareViews(clone: Connection, sections: SchemaSection[]): Promise<Map<string, boolean>> {
  const existing = new Map<string, boolean>();
  for (const section of sections.filter(isView)) {
    const found = await readDefinition(clone, section);
    if (found === undefined) continue;
    existing.set(section.identity, found === section.sql || found === (await translate(clone, section)));
  }
  return existing;
}

/**
 * Makes a view anew to read how this server defines it, since other versions of PostgreSQL have other words for the same,
 * and takes that back.
 * @returns undefined when it can't be made
 */
async function translate(clone: Connection, section: SharedSection): Promise<string | undefined> {
  await clone.queryBatch('savepoint translate');
  let translated: string | undefined;
  try {
    await clone.queryBatch(`drop ${section.kind} ${section.identity} cascade`);
    await clone.queryBatch(section.sql);
    translated = await readDefinition(clone, section);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.isConnectionFailure) throw error;
  }
  await clone.queryBatch('rollback to savepoint translate; release savepoint translate');
  return translated;
}

function isView(section: SchemaSection): section is SharedSection {
  return isShared(section) && (section.kind === 'view' || section.kind === 'materialized view');
}
