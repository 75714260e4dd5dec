import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { findFreePort } from '../../scripts/postgres-process.js';

const defaultImage = 'postgis/postgis:17-3.5';

/**
 * Starts a PostgreSQL container by testcontainers, from the image named by `LIZSYNC_TEST_IMAGE` (default: PostGIS's
 * own). The image must behave like the official `postgres` image.
 * @returns url of the superuser, and a function that removes the container
 */
export async function startContainer(): Promise<{ url: string; remove(): Promise<void> }> {
  // Imported here, because the package takes half a second to load and most runs don't need it.
  const { GenericContainer, Wait } = await import('testcontainers');
  const settings = ['fsync=off', 'full_page_writes=off', 'max_connections=200', 'max_prepared_transactions=10'];
  const configured = new GenericContainer(process.env.LIZSYNC_TEST_IMAGE || defaultImage)
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/))
    .withStartupTimeout(120_000);
  // Not a word that may stand in a message: tests look for the password there.
  const password = randomBytes(12).toString('hex');
  const environment = { POSTGRES_USER: 'postgres', POSTGRES_PASSWORD: password, POSTGRES_DB: 'postgres' };
  // On the host's network a database has one address for the tests and for other databases (dblink). Docker for other
  // systems runs in a virtual machine, whose network that would be.
  const port = process.platform === 'linux' ? await findFreePort() : 0;
  const container = await (port
    ? configured.withNetworkMode('host').withEnvironment({ ...environment, PGPORT: String(port) })
    : configured.withExposedPorts(5432).withEnvironment(environment)
  ).start();
  const remove = async () => {
    await container.stop({ remove: true, removeVolumes: true });
  };
  try {
    const address = port ? `127.0.0.1:${port}` : `${container.getHost()}:${container.getMappedPort(5432)}`;
    const url = `postgres://postgres:${password}@${address}/postgres`;
    await waitUntilReady(url);
    return { url, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The image first starts a server on a socket only to create the database; TCP answers when the real one runs. */
async function waitUntilReady(url: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw error;
      }
    } finally {
      await client.end().catch(() => {});
    }
    await wait(200);
  }
}
