import { type Connection, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { refuseStandby } from './inspect-database.js';
import { type InstallSchemaOptions, type InstallSchemaResult, installSchema } from './install-schema.js';
import type { ProgressCallback } from './progress.js';

export interface UpgradeOptions extends Omit<InstallSchemaOptions, 'dryRun'> {
  /** Say what would be done and change nothing. */
  dryRun: boolean;
  /** The database was moved to another server and takes the place of the original, which is gone. */
  moved?: boolean;
}

export interface UpgradeResult extends InstallSchemaResult {
  dryRun: boolean;
  /** Whether the database was found to be moved, and goes on where the original was. */
  moved: boolean;
}

/**
 * Brings a central or a clone from any earlier version of lizsync to the one of this program, in one transaction; with
 * `install`, from nothing too. Of several runs at the same time one works and the others wait for it.
 * @throws LizsyncError when the database is refused (see installSchema) or can't be reached
 */
export async function upgrade(
  settings: ConnectionSettings,
  options: UpgradeOptions,
  onProgress: ProgressCallback = () => {},
): Promise<UpgradeResult> {
  const result = await withConnection(
    settings,
    async (connection) => {
      refuseStandby(connection);
      return withTransaction(connection, { isolation: 'read committed', readOnly: options.dryRun }, async () => {
        const schema = await installSchema(connection, options, onProgress);
        const moved = options.moved === true && !options.dryRun && (await acceptMove(connection));
        return { ...schema, moved };
      });
    },
    { role: options.role },
  );
  return { ...result, dryRun: options.dryRun };
}

async function acceptMove(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ moved: boolean }>('select lizsync.accept_move() as moved');
  return row?.moved === true;
}
