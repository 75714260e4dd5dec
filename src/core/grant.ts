import { withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { requireServer } from './require-server.js';
import type { ServerRole } from './schema-files.js';

export interface GrantOptions {
  /** The central or the clone in which the role gets its rights. */
  server: ConnectionSettings;
  serverRole: ServerRole;
  /** The role, as PostgreSQL knows it. */
  role: string;
  /** On a central: the name of the clone that the role may synchronise; not needed where there is only one. */
  cloneName?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface GrantResult {
  role: string;
  /** Name of the server that was changed. */
  server: string;
  /** Name of the server at the other end of the link. */
  peer: string;
}

/**
 * Lets a role synchronise one link, and nothing else: it needs no rights on the tables.
 * @throws LizsyncError when the role or the clone does not exist; DatabaseError when the connected user owns too little
 */
export async function grant(options: GrantOptions): Promise<GrantResult> {
  const { role, serverRole, cloneName, signal } = options;
  return await withConnection(
    options.server,
    (connection) =>
      withTransaction(connection, {}, async () => {
        const { serverName } = await requireServer(connection, serverRole);
        const [row] = await connection.query<{ peer: string }>('select lizsync.grant_synchronisation($1, $2) as peer', [
          role,
          cloneName ?? null,
        ]);
        return { role, server: serverName, peer: row?.peer ?? '' };
      }),
    { role: serverRole, signal },
  );
}
