import { withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { requireServer } from './require-server.js';

export interface RetireResult {
  clone_id: string;
  clone_name: string;
  /** Null: never. */
  last_synchronised_at: string | null;
  /** How many ranges of numbers another clone can be given now. */
  ranges_returned: number;
}

/**
 * Ends the link of a clone at its central. A deploy takes the clone back.
 * @param clone its name or its id
 * @throws LizsyncError when the central has no such clone, or it is synchronising; DatabaseError
 */
export async function retire(central: ConnectionSettings, clone: string): Promise<RetireResult> {
  return withConnection(
    central,
    (connection) =>
      withTransaction(connection, { isolation: 'read committed' }, async () => {
        await requireServer(connection, 'central');
        const [row] = await connection.query<{ result: RetireResult }>('select lizsync.retire_clone($1) as result', [
          clone,
        ]);
        if (row === undefined) throw new Error('lizsync.retire_clone() returned nothing');
        return row.result;
      }),
    { role: 'central' },
  );
}
