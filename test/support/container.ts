import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

const defaultImage = 'postgis/postgis:17-3.5';

/**
 * Starts a PostgreSQL container by testcontainers, from the image named by `LIZSYNC_TEST_IMAGE` (default: PostGIS's
 * own). The image must behave like the official `postgres` image.
 * @returns url of the superuser, and a function that removes the container
 */
export async function startContainer(): Promise<{ url: string; remove(): Promise<void> }> {
  // Imported here, because the package takes half a second to load and most runs don't need it.
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer(process.env.LIZSYNC_TEST_IMAGE || defaultImage)
    .withEnvironment({ POSTGRES_USER: 'postgres', POSTGRES_PASSWORD: 'test', POSTGRES_DB: 'postgres' })
    .withCommand([
      'postgres',
      ...['fsync=off', 'full_page_writes=off', 'max_connections=200', 'max_prepared_transactions=10'].flatMap(
        (setting) => ['-c', setting],
      ),
    ])
    .withExposedPorts(5432)
    .withStartupTimeout(120_000)
    .start();
  const url = `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`;
  const remove = async () => {
    await container.stop({ remove: true, removeVolumes: true });
  };
  try {
    await waitUntilReady(url);
  } catch (error) {
    await remove();
    throw error;
  }
  return { url, remove };
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
