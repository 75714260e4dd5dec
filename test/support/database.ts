import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject, onTestFinished } from 'vitest';
import type { TestServer } from './server.js';

/** A database of one test. */
export interface TestDatabase {
  server: TestServer;
  name: string;
  /** Connection as superuser, password included. */
  url: string;
  /** Runs a query on a pooled connection and returns its rows. For transactions and session settings, use connect(). */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, parameters?: unknown[]): Promise<Row[]>;
  /** As query, but returns the first column of the first row; undefined when there is no row. */
  // biome-ignore lint/suspicious/noExplicitAny: the caller knows the type of the column
  value<Value = any>(sql: string, parameters?: unknown[]): Promise<Value>;
  /** Opens a connection of its own; closed at the end of the test if the test didn't. */
  connect(config?: pg.ClientConfig): Promise<pg.Client>;
  /** Closes the connections opened here. */
  close(): Promise<void>;
  /** Closes the connections and drops the database, whoever else is connected. */
  drop(): Promise<void>;
}

/** A role of one test that can log in with a password, and has no other right than those asked for. */
export interface TestRole {
  name: string;
  password: string;
  /** Connection to a database as this role. */
  urlFor(database: TestDatabase): string;
}

interface Cleanup {
  databases: TestDatabase[];
  roles: { server: TestServer; name: string }[];
}

const ofFile: Cleanup = { databases: [], roles: [] };
let ofTest: Cleanup | undefined;
let counter = 0;

// Registered on import, which is while the test file is collected: covers what beforeAll hooks and file bodies create.
// biome-ignore lint/correctness/noEmptyPattern: Vitest wants a pattern as the first argument, even an empty one
afterAll(async ({}, suite) => {
  await clean(ofFile, hasFailed(suite));
});

/**
 * Creates a database. It is dropped at the end of the test (of the file, when created outside of a test), unless that
 * failed: then it is kept and its URL is shown. Not for concurrent tests of one file: Vitest doesn't say which of them calls.
 * @param server where
 * @param options.template name of a database to copy, for instance from prepareTemplate; default template0
 * @param options.encoding such as LATIN1 (default: the template's)
 * @param options.name put into the database's unique name, to tell several databases of a test apart
 * @param options.exactName the whole name, for tests of strange names; must be unique
 */
export async function createDatabase(
  server: TestServer,
  options: { template?: string; encoding?: string | undefined; name?: string; exactName?: string } = {},
): Promise<TestDatabase> {
  const name = options.exactName ?? uniqueName(options.name ?? 'test');
  const encoding = options.encoding ? ` encoding '${options.encoding}' lc_collate 'C' lc_ctype 'C'` : '';
  const template = pg.escapeIdentifier(options.template ?? 'template0');
  await withMaintenance(server, async (client) => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        await client.query(`create database ${pg.escapeIdentifier(name)} template ${template}${encoding}`);
        return;
      } catch (error) {
        // 55006: somebody is connected to the template, autovacuum for instance.
        if ((error as { code?: string }).code !== '55006' || Date.now() > deadline) {
          throw error;
        }
      }
    }
  });
  const database = openDatabase(server, name);
  cleanupOfNow().databases.push(database);
  return database;
}

/**
 * Makes a template database once per server and test run, whichever worker comes first.
 * @param server where
 * @param name says what the template holds; callers with the same name must build the same
 * @param build fills the database
 * @returns name for createDatabase's `template`
 */
export async function prepareTemplate(
  server: TestServer,
  name: string,
  build: (database: TestDatabase) => Promise<void>,
): Promise<string> {
  const finished = `template_${inject('runId')}_${name}`;
  await withMaintenance(server, async (client) => {
    const lock = 'select pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended($1, 0))';
    await client.query(lock, [finished]);
    const found = await client.query('select from pg_catalog.pg_database where datname = $1', [finished]);
    if (found.rowCount === 0) {
      const database = openDatabase(server, uniqueName('unfinished'));
      await client.query(`create database ${pg.escapeIdentifier(database.name)} template template0`);
      try {
        await build(database);
        await database.close();
        const unfinished = pg.escapeIdentifier(database.name);
        await client.query(`alter database ${unfinished} with allow_connections false`);
        await client.query(
          `select pg_catalog.pg_terminate_backend(pid, 10000) from pg_catalog.pg_stat_activity where datname = $1`,
          [database.name],
        );
        await client.query(`alter database ${unfinished} with is_template true`);
        await client.query(`alter database ${unfinished} rename to ${pg.escapeIdentifier(finished)}`);
      } catch (error) {
        await database.drop();
        throw error;
      }
    }
    // The lock ends with the connection.
  });
  return finished;
}

/**
 * Creates a role that can log in. It is dropped at the end of the test, after the test's databases.
 * @param server where
 * @param attributes such as `createrole`, put behind `login`
 */
export async function createRole(server: TestServer, attributes = ''): Promise<TestRole> {
  const name = uniqueName('role');
  const password = randomBytes(8).toString('hex');
  await withMaintenance(server, async (client) => {
    await client.query(`create role ${pg.escapeIdentifier(name)} login ${attributes} password '${password}'`);
  });
  cleanupOfNow().roles.push({ server, name });
  return {
    name,
    password,
    urlFor: (database) => {
      const url = new URL(database.url);
      url.username = name;
      url.password = password;
      return url.href;
    },
  };
}

/** Runs a callback with a superuser's connection to the server's maintenance database. */
export async function withMaintenance<Result>(
  server: TestServer,
  callback: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: server.url, connectionTimeoutMillis: 20_000 });
  await client.connect();
  try {
    return await callback(client);
  } finally {
    await client.end();
  }
}

/**
 * Address of a database on a server, as its superuser. The database need not be created here, nor exist.
 * Nothing is dropped automatically.
 */
export function openDatabase(server: TestServer, name: string): TestDatabase {
  const address = new URL(server.url);
  address.pathname = `/${encodeURIComponent(name)}`;
  const url = address.href;
  const clients = new Set<pg.Client>();
  let pool: pg.Pool | undefined;

  const close = async (): Promise<void> => {
    const open = [...clients];
    clients.clear();
    await Promise.all(open.map((client) => client.end().catch(() => {})));
    const old = pool;
    pool = undefined;
    await old?.end();
  };
  const query = async <Row extends pg.QueryResultRow>(sql: string, parameters?: unknown[]): Promise<Row[]> => {
    if (!pool) {
      pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 20_000 });
      // An idle connection that the server closes (a test that stops it) is no fault.
      pool.on('error', () => {});
    }
    const result = await pool.query<Row>(sql, parameters);
    return result.rows;
  };
  return {
    server,
    name,
    url,
    query,
    value: async (sql, parameters) => {
      const [row] = await query(sql, parameters);
      return row ? Object.values(row)[0] : undefined;
    },
    connect: async (config) => {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 20_000, ...config });
      client.on('error', () => {});
      clients.add(client);
      await client.connect();
      return client;
    },
    close,
    drop: async () => {
      await close();
      await withMaintenance(server, (client) =>
        client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
      );
    },
  };
}

/** A name that no other worker, test run or call uses, safe without quotes. */
export function uniqueName(name: string): string {
  counter += 1;
  return `${name}_${inject('runId')}_${process.env.VITEST_POOL_ID ?? 0}_${process.pid}_${counter}`;
}

/** Where to note what is created now. Tests of one file run one after the other, so one test at a time has things. */
function cleanupOfNow(): Cleanup {
  if (ofTest) {
    return ofTest;
  }
  const cleanup: Cleanup = { databases: [], roles: [] };
  try {
    onTestFinished(async ({ task }) => {
      ofTest = undefined;
      await clean(cleanup, task.result?.state === 'fail');
    });
  } catch {
    // Not in a test, but in beforeAll or afterAll.
    return ofFile;
  }
  ofTest = cleanup;
  return cleanup;
}

async function clean(cleanup: Cleanup, failed: boolean): Promise<void> {
  const databases = cleanup.databases.splice(0);
  const roles = cleanup.roles.splice(0);
  for (const database of databases) {
    await database.close();
    if (failed) {
      console.error(`Kept, because the test failed (servers stay with LIZSYNC_TEST_KEEP=1): ${database.url}`);
    } else {
      await database.drop().catch(ignoreMissingServer);
    }
  }
  if (!failed) {
    for (const { server, name } of roles) {
      await withMaintenance(server, (client) => dropRole(client, name)).catch(ignoreMissingServer);
    }
  }
}

/** A test that had a server of its own has removed it with all its databases. */
function ignoreMissingServer(error: { code?: string }): void {
  if (error.code !== 'ECONNREFUSED') {
    throw error;
  }
}

async function dropRole(client: pg.Client, name: string): Promise<void> {
  const role = pg.escapeIdentifier(name);
  try {
    await client.query(`drop owned by ${role}`);
    await client.query(`drop role ${role}`);
  } catch (error) {
    // The test dropped it, or a database that outlives the test still names it.
    if (!['42704', '2BP01'].includes((error as { code?: string }).code ?? '')) {
      throw error;
    }
  }
}

interface TaskNode {
  result?: { state?: string } | undefined;
  tasks?: readonly TaskNode[];
}

function hasFailed(task: TaskNode): boolean {
  return task.result?.state === 'fail' || (task.tasks ?? []).some(hasFailed);
}
