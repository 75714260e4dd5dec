// Starts the servers once per test run, for all projects, and removes them at its end.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { createPostgres, keepPostgres, removePostgres } from '../../scripts/postgres-process.js';
import { startContainer } from './container.js';
import { describeServer, type ServerDescription } from './server.js';

interface RunningServer {
  description: ServerDescription;
  remove(): Promise<void>;
  keep(): void;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runId = randomBytes(3).toString('hex');
  const servers: RunningServer[] = [];
  const teardown = async () => {
    const keep = Boolean(process.env.LIZSYNC_TEST_KEEP) && project.vitest.state.getCountOfFailedTests() > 0;
    for (const server of servers) {
      if (keep) {
        server.keep();
        console.error(`Left running, because tests failed and LIZSYNC_TEST_KEEP is set: ${server.description.url}`);
      } else {
        await server.remove();
      }
    }
  };
  try {
    const central = await startServer(process.env.LIZSYNC_TEST_SERVER || 'embedded', runId);
    servers.push(central);
    const cloneKind = process.env.LIZSYNC_TEST_CLONE_SERVER;
    let clone = central;
    if (cloneKind) {
      clone = await startServer(cloneKind, runId);
      servers.push(clone);
    }
    project.provide('runId', runId);
    project.provide('centralServer', central.description);
    project.provide('cloneServer', clone.description);
    for (const { description } of servers) {
      const postgis = description.hasPostgis ? 'with PostGIS' : 'without PostGIS';
      console.log(`Test server: ${description.kind}, PostgreSQL ${Math.floor(description.version / 10000)} ${postgis}`);
    }
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

async function startServer(wanted: string, runId: string): Promise<RunningServer> {
  if (wanted === 'embedded' || wanted === 'local') {
    const server = await createPostgres(wanted);
    return {
      description: await describeServer(wanted, server.url, server),
      remove: () => removePostgres(server),
      keep: () => keepPostgres(server),
    };
  }
  if (wanted === 'container') {
    const container = await startContainer();
    return {
      description: await describeServer('container', container.url, null),
      remove: container.remove,
      keep: () => {},
    };
  }
  if (/^postgres(ql)?:\/\//.test(wanted)) {
    return {
      description: await describeServer('url', wanted, null),
      remove: () => dropTemplates(wanted, runId),
      keep: () => {},
    };
  }
  throw new Error(
    `LIZSYNC_TEST_SERVER and LIZSYNC_TEST_CLONE_SERVER can be embedded, local, container or a postgres:// URL, not ${wanted}`,
  );
}

/** Drops what this run shares between its tests on a server that outlives it. */
async function dropTemplates(url: string, runId: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query<{ datname: string }>(
      'select datname from pg_catalog.pg_database where pg_catalog.starts_with(datname, $1)',
      [`template_${runId}_`],
    );
    for (const { datname } of found.rows) {
      const name = client.escapeIdentifier(datname);
      await client.query(`alter database ${name} with is_template false allow_connections true`);
      await client.query(`drop database ${name} with (force)`);
    }
  } finally {
    await client.end();
  }
}
