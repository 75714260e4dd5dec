import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deploy } from '../../src/core/deploy.js';
import { createPackage } from '../../src/core/package.js';
import { prepareCentral } from '../../src/core/prepare-central.js';
import { type SynchronizeResult, synchronize } from '../../src/core/sync.js';
import { upgrade } from '../../src/core/upgrade.js';
import { createDatabase, type TestDatabase } from './database.js';
import { getCloneServer, getTestServer, type TestServer } from './server.js';
import { toSettings } from './settings.js';

/** How a sync travels: COPY by the command line's core, or dblink by the clone itself. */
export type Transport = 'cli' | 'sql';
export const transports: Transport[] = ['cli', 'sql'];

/** A central with clones, made the way users make them. */
export interface LinkedDatabases {
  central: TestDatabase;
  clones: TestDatabase[];
  /** Synchronises a clone (default: the first), all tables or those named `schema.table`, and returns what that came to. */
  sync(clone?: TestDatabase, transport?: Transport, tables?: string[]): Promise<SynchronizeResult>;
  /** Makes all tables empty everywhere, fills them with `rows` (SQL, run in the central) and forgets all conflicts. */
  reset(rows: string): Promise<void>;
  /** Every row of every table of the given databases: they are the same once everybody has synchronised. */
  contents(database: TestDatabase): Promise<Record<string, unknown[]>>;
}

/**
 * Creates a central out of SQL that makes its tables, prepares all tables of `schemas`, and deploys a package of them to
 * clones. They go at the end of the test, or of the file when made in beforeAll.
 * @param tables SQL run in the central first
 * @param options.cloneCount default 1
 * @param options.schemas default: test
 * @param options.settings SQL fragments such as "datestyle = 'SQL, DMY'", set for each database of that role
 * @param options.encodings such as LATIN1, default: UTF8
 * @param options.servers default: those that all tests share
 */
export async function linkDatabases(
  tables: string,
  options: {
    cloneCount?: number;
    schemas?: string[];
    excludeColumns?: Parameters<typeof prepareCentral>[0]['excludeColumns'];
    settings?: { central?: string[]; clone?: string[] };
    encodings?: { central?: string; clone?: string };
    servers?: { central?: TestServer; clone?: TestServer };
  } = {},
): Promise<LinkedDatabases> {
  const { cloneCount = 1, schemas = ['test'], settings = {}, encodings = {}, servers = {}, excludeColumns } = options;
  const central = await createDatabase(servers.central ?? getTestServer(), {
    name: 'central',
    encoding: encodings.central,
  });
  await setDefaults(central, settings.central);
  await central.query(tables);
  await upgrade(toSettings(central.url), { role: 'central', install: true, serverName: 'central', dryRun: false });
  await prepareCentral({
    central: toSettings(central.url),
    schemas,
    tables: [],
    ...(excludeColumns ? { excludeColumns } : {}),
  });

  const folder = await mkdtemp(path.join(tmpdir(), 'lizsync-test-'));
  const clones: TestDatabase[] = [];
  try {
    const archive = path.join(folder, 'package.zip');
    await createPackage({ central: toSettings(central.url), schemas, output: archive });
    for (let number = 1; number <= cloneCount; number += 1) {
      const clone = await createDatabase(servers.clone ?? getCloneServer(), {
        name: `clone${number}`,
        encoding: encodings.clone,
      });
      await setDefaults(clone, settings.clone);
      await deploy({ archive, central: toSettings(central.url), clone: toSettings(clone.url), name: `clone${number}` });
      clones.push(clone);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  const sync: LinkedDatabases['sync'] = (clone = clones[0], transport = 'cli', tables) => {
    if (clone === undefined) throw new Error('there is no clone');
    return synchronize({
      central: toSettings(central.url),
      clone: toSettings(clone.url),
      viaClone: transport === 'sql',
      tables: tables?.map((name) => {
        const [schema = '', table = ''] = name.split('.');
        return { schema, table };
      }),
    });
  };

  return {
    central,
    clones,
    sync,
    reset: async (rows) => {
      const tables = Object.keys(await readContents(central, schemas));
      for (const database of [central, ...clones]) {
        await database.query(`truncate ${tables.join(', ')} restart identity; delete from lizsync.held_changes`);
      }
      for (const clone of clones) await sync(clone);
      await central.query(rows);
      for (const clone of clones) await sync(clone);
      for (const database of [central, ...clones]) await database.query('delete from lizsync.conflicts');
    },
    contents: (database) => readContents(database, schemas),
  };
}

async function setDefaults(database: TestDatabase, settings: string[] = []): Promise<void> {
  for (const setting of settings) {
    await database.query(
      `do $$ begin execute format('alter database %I set %s', current_database(), ${quote(setting)}); end $$`,
    );
  }
  // pooled connections keep the settings they began with
  await database.close();
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function readContents(database: TestDatabase, schemas: string[]): Promise<Record<string, unknown[]>> {
  // one spelling for all, whatever the databases' own settings are
  const client = await database.connect({
    options:
      '-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=1 -c bytea_output=hex -c quote_all_identifiers=off',
  });
  const { rows: names } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = any ($1) and c.relkind in ('r', 'p') and not c.relispartition
     order by 1`,
    [schemas],
  );
  const contents: Record<string, unknown[]> = {};
  for (const { name } of names) {
    const { rows } = await client.query<{ row: string }>(`select (t.*)::text as row from ${name} as t order by uid`);
    contents[name] = rows.map(({ row }) => row);
  }
  await client.end();
  return contents;
}
