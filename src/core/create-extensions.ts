import pg from 'pg';
import type { NeededExtension } from '../archive/manifest.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import type { ProgressCallback } from './progress.js';

export interface ExtensionState extends NeededExtension {
  /** Whether it is there, can be created, or its files are not on the clone's server. */
  state: 'present' | 'to create' | 'missing';
}

interface ExtensionRow {
  name: string;
  schema: string | null;
  is_available: boolean;
}

/** Finds out what is there of the extensions that a package needs, in their order. */
export async function listExtensions(clone: Connection, extensions: NeededExtension[]): Promise<ExtensionState[]> {
  const rows = await findExtensions(clone, extensions);
  return extensions.map((extension) => {
    const row = rows.find(({ name }) => name === extension.name);
    if (row?.schema != null) return { ...extension, state: 'present' };
    return { ...extension, state: row?.is_available ? 'to create' : 'missing' };
  });
}

async function findExtensions(clone: Connection, extensions: NeededExtension[]): Promise<ExtensionRow[]> {
  if (extensions.length === 0) return [];
  return clone.query<ExtensionRow>(readSqlFile('queries/deploy-list-extensions.sql'), [
    extensions.map(({ name }) => name),
  ]);
}

/**
 * Creates the extensions that are not there, in the schemas that they have in the central.
 * @throws LizsyncError that says what to do when one can't be created, or is in another schema
 */
export async function createExtensions(
  clone: Connection,
  extensions: NeededExtension[],
  onProgress: ProgressCallback,
): Promise<void> {
  const rows = await findExtensions(clone, extensions);
  const unavailable = rows.filter(({ schema, is_available }) => schema === null && !is_available);
  if (unavailable.length > 0) {
    throw new LizsyncError("the clone's server lacks extensions that the tables need", {
      details: unavailable.map(({ name }) => {
        const version = extensions.find((extension) => extension.name === name)?.version ?? '';
        return `${name} (${version} in the central)`;
      }),
      hint: describeInstallation(
        unavailable.map(({ name }) => name),
        clone.serverVersion,
      ),
    });
  }
  for (const { name, schema } of extensions) {
    const found = rows.find((row) => row.name === name)?.schema ?? null;
    if (found === null) {
      await createExtension(clone, name, schema, onProgress);
    } else if (found !== schema) {
      throw new LizsyncError(`the extension ${name} is in schema ${found} of the clone, in ${schema} of the central`, {
        hint: `Move it: alter extension ${pg.escapeIdentifier(name)} set schema ${pg.escapeIdentifier(schema)};`,
      });
    }
  }
}

async function createExtension(
  clone: Connection,
  name: string,
  schema: string,
  onProgress: ProgressCallback,
): Promise<void> {
  onProgress({ kind: 'step', text: `creating extension ${name}` });
  const statement = `create extension ${pg.escapeIdentifier(name)} schema ${pg.escapeIdentifier(schema)} cascade;`;
  try {
    await clone.queryBatch(`create schema if not exists ${pg.escapeIdentifier(schema)}; ${statement}`);
  } catch (error) {
    throw new LizsyncError(`the extension ${name} cannot be created in the clone: ${(error as Error).message}`, {
      hint: `Let a superuser run in the clone: ${statement}`,
      details: error instanceof LizsyncError ? error.details : [],
      cause: error,
    });
  }
}

/** Packages of Debian, behind postgresql-VERSION-, by the beginnings of the names of the extensions that they bring. */
const debianPackages: [string, string][] = [
  ['postgis', 'postgis-3'],
  ['address_standardizer', 'postgis-3'],
  ['pgrouting', 'pgrouting'],
  ['pointcloud', 'pointcloud'],
  ['h3', 'h3'],
  ['ogr_fdw', 'ogr-fdw'],
  ['vector', 'pgvector'],
  ['ip4r', 'ip4r'],
  ['semver', 'semver'],
  ['periods', 'periods'],
  ['hll', 'hll'],
  ['rum', 'rum'],
];

function describeInstallation(names: string[], version: number): string {
  const packages = names.map((name) => debianPackages.find(([start]) => name.startsWith(start))?.[1]);
  const known = [...new Set(packages.filter((name) => name !== undefined))];
  // what PostgreSQL itself brings is in its own package there
  const command =
    known.length === 0 ? `postgresql-${version}` : known.map((name) => `postgresql-${version}-${name}`).join(' ');
  const rest = packages.includes(undefined) && known.length > 0 ? ', and what brings the others' : '';
  return `Install them on the machine of the clone's server, on Debian: apt install ${command}${rest}. Then deploy again.`;
}
