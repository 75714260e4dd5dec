import pg from 'pg';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';

/** Extensions that lizsync needs in every database. */
export const neededExtensions = ['hstore', 'dblink'] as const;
export type NeededExtension = (typeof neededExtensions)[number];

/** What install and upgrade must know about a database; the columns of sql/queries/inspect-database.sql. */
export interface DatabaseFacts {
  server_version: string;
  /** Such as 150018. */
  server_version_number: number;
  is_read_only: boolean;
  database_name: string;
  user_name: string;
  may_create_schemas: boolean;
  is_superuser: boolean;
  /** Null when there is no schema public. */
  may_create_in_public: boolean | null;
  /** Those of the schemas audit and lizsync that exist. */
  schemas: Partial<Record<OwnSchema, SchemaFacts>>;
  /** Whether there is a table lizsync.migrations like ours. */
  has_ledger: boolean;
  ledger_owner: string | null;
  may_act_as_ledger_owner: boolean | null;
  extensions: Record<NeededExtension, ExtensionFacts>;
}

export type OwnSchema = 'audit' | 'lizsync';

export interface SchemaFacts {
  owner: string;
  may_act_as_owner: boolean;
  /** Names of what it holds, functions with "()"; without what belongs to extensions. */
  objects: string[];
}

export interface ExtensionFacts {
  /** Where it is installed; null: it isn't. */
  schema: string | null;
  may_use_schema: boolean | null;
  /** Whether its files are on the machine of the server. */
  is_available: boolean;
  /** Whether who may create schemas may create it too. */
  is_trusted: boolean;
}

const oldestServerVersion = 14;

/**
 * Refuses a standby before a transaction that writes begins there, which PostgreSQL answers less clearly.
 * @throws LizsyncError
 */
export function refuseStandby(connection: Connection): void {
  if (connection.parameters.get('in_hot_standby') !== 'on') return;
  throw new LizsyncError(`the server of ${connection.description} is a standby, which only repeats its primary`, {
    hint: 'Connect to the primary.',
  });
}

/**
 * Asks a database what install and upgrade must know, and refuses what no right can mend.
 * @throws LizsyncError when the server is too old or read-only
 */
export async function inspectDatabase(connection: Connection): Promise<DatabaseFacts> {
  const [facts] = await connection.query<DatabaseFacts>(readSqlFile('queries/inspect-database.sql'));
  if (facts === undefined) throw new Error('no row from inspect-database.sql');
  if (facts.server_version_number < oldestServerVersion * 10_000) {
    throw new LizsyncError(`PostgreSQL ${facts.server_version} is too old`, {
      hint: `lizsync needs PostgreSQL ${oldestServerVersion} or newer: upgrade the server first.`,
    });
  }
  if (facts.is_read_only) {
    throw new LizsyncError(`the database "${facts.database_name}" is set to read-only for ${facts.user_name}`, {
      hint: `Allow writing, for instance: alter database ${quote(facts.database_name)} set default_transaction_read_only = off;`,
    });
  }
  return facts;
}

/**
 * Checks that lizsync can be installed from nothing.
 * @throws LizsyncError when audit or lizsync is used by something else, or the user may not create schemas
 */
export function checkInstallable(facts: DatabaseFacts): void {
  const taken = (['audit', 'lizsync'] as const).flatMap((name) => {
    const schema = facts.schemas[name];
    return schema === undefined || schema.objects.length === 0 ? [] : [{ name, objects: schema.objects }];
  });
  if (taken.length > 0) {
    const names = taken.map(({ name }) => name).join(' and ');
    throw new LizsyncError(
      `the ${taken.length > 1 ? 'schemas' : 'schema'} ${names} of database "${facts.database_name}" ` +
        `${taken.length > 1 ? 'hold' : 'holds'} something that is not of lizsync`,
      {
        details: taken.map(({ name, objects }) => describeForeignSchema(name, objects)),
        hint:
          'lizsync needs these schema names for itself. Save what you want to keep, remove the other tool as its manual ' +
          `says (its triggers on your tables too), then: ${taken.map(({ name }) => `drop schema ${name} cascade;`).join(' ')}`,
      },
    );
  }
  if (!facts.may_create_schemas) {
    throw new LizsyncError(
      `${facts.user_name} may not create schemas in database "${facts.database_name}": the right CREATE is missing`,
      {
        hint: `Let its owner or a superuser run: grant create on database ${quote(facts.database_name)} to ${quote(facts.user_name)};`,
      },
    );
  }
  for (const name of ['audit', 'lizsync'] as const) {
    const schema = facts.schemas[name];
    if (schema !== undefined && !schema.may_act_as_owner) {
      throw new LizsyncError(`the schema ${name} exists, empty, and belongs to ${schema.owner}`, {
        hint: `Let ${schema.owner} or a superuser run: drop schema ${name};`,
      });
    }
  }
}

/**
 * Checks that the user may work on the tables that lizsync has in the database.
 * @throws LizsyncError with the grant that is missing
 */
export function checkOwnership(facts: DatabaseFacts): void {
  if (facts.may_act_as_ledger_owner) return;
  const owner = facts.ledger_owner ?? '';
  throw new LizsyncError(
    `lizsync in database "${facts.database_name}" belongs to ${owner}, and ${facts.user_name} is no member of it`,
    { hint: `Connect as ${owner} or as a superuser, or: grant ${quote(owner)} to ${quote(facts.user_name)};` },
  );
}

/**
 * Decides where the extensions are or will be.
 *
 * A missing one goes to public where that is possible: people expect hstore's operators there, and an extension in our
 * own schema would be gone, together with the users' columns of its types, when lizsync is removed. Nothing of ours
 * depends on who may write to public, because everything is called with its schema.
 * @returns for each extension its schema (not quoted) and whether it must be created
 * @throws LizsyncError when one is missing and can't be created, or its schema may not be used
 */
export function locateExtensions(
  facts: DatabaseFacts,
): { name: NeededExtension; schema: string; mustBeCreated: boolean }[] {
  return neededExtensions.map((name) => {
    const extension = facts.extensions[name];
    if (extension.schema !== null) {
      if (extension.may_use_schema || facts.is_superuser) {
        return { name, schema: extension.schema, mustBeCreated: false };
      }
      throw new LizsyncError(`${facts.user_name} may not use the schema "${extension.schema}" of extension ${name}`, {
        hint: `Let its owner or a superuser run: grant usage on schema ${quote(extension.schema)} to ${quote(facts.user_name)};`,
      });
    }
    if (!extension.is_available) {
      throw new LizsyncError(`the extension ${name} is not on the machine of the server`, {
        hint:
          "Install PostgreSQL's contrib modules there: package postgresql-contrib (Debian, Ubuntu: part of " +
          `postgresql-${Math.floor(facts.server_version_number / 10_000)}; Fedora, Red Hat: postgresql-contrib).`,
      });
    }
    if (!facts.is_superuser && !(extension.is_trusted && facts.may_create_schemas)) {
      throw new LizsyncError(`${facts.user_name} may not create the extension ${name}`, {
        hint: `Let a superuser run in database "${facts.database_name}": create extension ${name};`,
      });
    }
    return { name, schema: facts.may_create_in_public ? 'public' : 'lizsync', mustBeCreated: true };
  });
}

function describeForeignSchema(name: OwnSchema, objects: string[]): string {
  const shown = objects.slice(0, 5).join(', ');
  const rest = objects.length > 5 ? ` and ${objects.length - 5} more` : '';
  const origin =
    name === 'audit' && objects.includes('logged_actions')
      ? ', probably of the generic audit trigger'
      : name === 'lizsync' && objects.includes('server_metadata')
        ? ', probably of the LizSync plugin of QGIS'
        : '';
  return `${name} holds ${shown}${rest}${origin}`;
}

function quote(name: string): string {
  return pg.escapeIdentifier(name);
}
