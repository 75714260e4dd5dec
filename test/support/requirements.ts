import { describe } from 'vitest';
import { findPgbouncer } from './pgbouncer.js';
import type { TestServer } from './server.js';

/**
 * `describe` for tests that need PostGIS. Where a server has none they are skipped, with the reason in their name.
 * @param servers all that the tests use
 */
export function describeWithPostgis(title: string, servers: TestServer[], body: () => void): void {
  const missing = servers.some((server) => !server.hasPostgis);
  describe.skipIf(missing)(missing ? `${title} [skipped: the server has no PostGIS]` : title, body);
}

/** `describe` for tests that need a pg_dump as new as the servers. Skipped by name where the machine has none. */
export function describeWithPgDump(title: string, servers: TestServer[], body: () => void): void {
  const missing = servers.some((server) => server.pgDump === null);
  describe.skipIf(missing)(missing ? `${title} [skipped: no pg_dump as new as the server]` : title, body);
}

/** `describe` for tests that put a pgbouncer in front of the servers. Skipped by name where the machine has none. */
export function describeWithPgbouncer(title: string, body: () => void): void {
  const missing = findPgbouncer() === undefined;
  describe.skipIf(missing)(missing ? `${title} [skipped: the machine has no pgbouncer]` : title, body);
}
