import type { Connection } from '../db/connection.js';
import { type ConnectionSettings, toForeignServerOptions } from '../db/connection-settings.js';
import { findPassword } from '../db/password-file.js';
import type { ProgressCallback } from './progress.js';

/** What every libpq leaves as it is when it does not know it; all others must be said when they are not stored. */
const harmlessOptions = new Set(['load_balance_hosts', 'sslcertmode']);

/**
 * Stores in a clone how it reaches its central on its own, for lizsync.synchronize(): as a foreign server of dblink_fdw
 * and a user mapping for the role that is connected. The password goes there too, also one of the password file.
 */
export async function storeCentralConnection(
  clone: Connection,
  central: ConnectionSettings,
  onProgress: ProgressCallback,
): Promise<void> {
  const [host] = central.hosts;
  const password = host === undefined ? undefined : await findPassword(central, host);
  const { server, userMapping } = toForeignServerOptions({ ...central, password });
  const [row] = await clone.query<{ unknown: string[] }>('select lizsync.store_central_connection($1, $2) as unknown', [
    Object.entries(server).flat(),
    Object.entries(userMapping).flat(),
  ]);
  const unknown = (row?.unknown ?? []).filter((name) => !harmlessOptions.has(name));
  if (unknown.length > 0) {
    onProgress({
      kind: 'warning',
      text: `the clone's server does not know these options of the connection to the central: ${unknown.join(', ')}`,
      hint: 'lizsync.synchronize() in the clone connects without them.',
    });
  }
}
