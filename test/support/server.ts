import { existsSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import {
  createPostgres,
  findPgDump,
  type PostgresProcess,
  removePostgres,
  startPostgres,
  stopPostgres,
  upgradePostgres,
} from '../../scripts/postgres-process.js';

/** What the test run's global setup tells the workers about a server; plain data. */
export interface ServerDescription {
  kind: 'embedded' | 'local' | 'container' | 'url';
  /** Database to connect to for `create database` and the like, as superuser, password included. */
  url: string;
  host: string;
  port: number;
  /** As `server_version_num`, such as 150018. */
  version: number;
  hasPostgis: boolean;
  /** Path of a pg_dump that can dump this server, or null. */
  pgDump: string | null;
  /** Null unless this test run started the server from binaries. */
  process: PostgresProcess | null;
}

declare module 'vitest' {
  interface ProvidedContext {
    runId: string;
    centralServer: ServerDescription;
    cloneServer: ServerDescription;
  }
}

/** A running PostgreSQL server with superuser access. */
export interface TestServer extends ServerDescription {
  /** Null when the server wasn't started from binaries by the tests. */
  dataDirectory: string | null;
  /**
   * Stops the server; `immediate` is what a crash looks like. Use it on a server of `createPrivateServer` only: the
   * others are shared by all workers. Throws when the tests didn't start the server from binaries.
   */
  stop(mode?: 'fast' | 'immediate' | 'smart'): Promise<void>;
  /** Starts the server again on the same port, and waits until it accepts connections. */
  start(): Promise<void>;
  restart(mode?: 'fast' | 'immediate' | 'smart'): Promise<void>;
  /** Moves all databases into a new cluster by pg_upgrade; null where that program is missing. */
  upgradeFiles: (() => Promise<void>) | null;
}

/** Server that holds the central databases: `LIZSYNC_TEST_SERVER`. Shared by all tests of the run. */
export function getTestServer(): TestServer {
  return toTestServer(inject('centralServer'));
}

/** Server that holds the clones: `LIZSYNC_TEST_CLONE_SERVER`, or the same as the central's. Shared by all tests. */
export function getCloneServer(): TestServer {
  return toTestServer(inject('cloneServer'));
}

/**
 * Starts a server of its own for a test that stops it, fills its disk or changes its settings (about a second).
 * The caller must `remove()` it; the end of the process does so too.
 * @param options.kind default: the kind of the shared server if that is made of binaries, else `embedded`
 * @param options.settings lines of postgresql.conf, by name
 */
export async function createPrivateServer(
  options: { kind?: 'embedded' | 'local'; settings?: Record<string, string> } = {},
): Promise<TestServer & { remove(): Promise<void> }> {
  const shared = inject('centralServer').kind;
  const kind = options.kind ?? (shared === 'local' ? 'local' : 'embedded');
  const server = await createPostgres(kind, { settings: options.settings ?? {} });
  const description = await describeServer(kind, server.url, server);
  return { ...toTestServer(description), remove: () => removePostgres(server) };
}

/**
 * Asks a server what the tests want to know about it.
 * @param kind where it comes from
 * @param url of a superuser
 * @param process null unless it was started from binaries
 */
export async function describeServer(
  kind: ServerDescription['kind'],
  url: string,
  process: PostgresProcess | null,
): Promise<ServerDescription> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const result = await client.query<{ version: number; has_postgis: boolean; is_superuser: boolean }>(`
      select current_setting('server_version_num')::integer as version,
        exists (select from pg_catalog.pg_available_extensions where name = 'postgis') as has_postgis,
        current_setting('is_superuser')::boolean as is_superuser`);
    const row = result.rows[0];
    if (!row?.is_superuser) {
      throw new Error('The tests need the URL of a superuser');
    }
    const { version, has_postgis: hasPostgis } = row;
    return {
      kind,
      url,
      host: client.host,
      port: client.port,
      version,
      hasPostgis,
      pgDump: findPgDump(version),
      process,
    };
  } finally {
    await client.end();
  }
}

function toTestServer(description: ServerDescription): TestServer {
  const requireProcess = (): PostgresProcess => {
    if (!description.process) {
      throw new Error(`A server of kind ${description.kind} can't be stopped or started by the tests`);
    }
    return description.process;
  };
  return {
    ...description,
    dataDirectory: description.process?.dataDirectory ?? null,
    stop: (mode = 'fast') => stopPostgres(requireProcess(), mode),
    start: () => startPostgres(requireProcess()),
    upgradeFiles:
      description.process && existsSync(path.join(description.process.binDirectory, 'pg_upgrade'))
        ? () => upgradePostgres(requireProcess())
        : null,
    restart: async (mode = 'fast') => {
      await stopPostgres(requireProcess(), mode);
      await startPostgres(requireProcess());
    },
  };
}
