import { type Connection, withConnection } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import type { ProgressCallback } from './progress.js';
import { requireServer } from './require-server.js';

export interface PruneOptions {
  central: ConnectionSettings;
  /** How old an event may get, in hours. */
  keepHours: number;
  /** After how many hours without a sync a clone needs a new package; undefined: never. */
  expireHours?: number | undefined;
  /** Says only what would be done. */
  dryRun?: boolean;
  /** Ends the work when aborted; what was removed by then is gone. */
  signal?: AbortSignal | undefined;
}

export interface PrunedClone {
  name: string;
  /** Null: never. */
  lastSynchronisedAt: string | null;
}

export interface PruneResult {
  /** How many events were removed from the log, or would be. */
  removed: number;
  /** Clones that were marked as needing a new package, or would be. */
  expired: PrunedClone[];
  /** The clone that needs events older than those that are kept; null: none does. */
  heldBackBy: PrunedClone | null;
  dryRun: boolean;
}

interface BatchResult {
  removed: number;
  expired: { name: string; last_synchronised_at: string | null }[];
  held_back_by: { name: string; last_synchronised_at: string | null } | null;
}

const batchSize = 100_000;

/**
 * Removes old events from the log of a central, none that a clone still needs. Each 100,000 events are one transaction, so
 * that nobody waits for long.
 * @throws LizsyncError when the database is no central of this version of lizsync; DatabaseError
 */
export async function prune(options: PruneOptions, onProgress: ProgressCallback = () => {}): Promise<PruneResult> {
  const { dryRun = false, signal } = options;
  return withConnection(
    options.central,
    async (central) => {
      const result: PruneResult = { removed: 0, expired: [], heldBackBy: null, dryRun };
      for (;;) {
        // what is only tried is done and rolled back: in one transaction, all of it
        const batch = await pruneBatch(central, options, dryRun ? null : batchSize);
        result.removed += batch.removed;
        result.expired.push(...batch.expired.map(toPrunedClone));
        result.heldBackBy = batch.held_back_by && toPrunedClone(batch.held_back_by);
        if (dryRun || batch.removed < batchSize) return result;
        onProgress({ kind: 'step', text: `${result.removed} events removed` });
      }
    },
    { role: 'central', signal },
  );
}

async function pruneBatch(central: Connection, options: PruneOptions, limit: number | null): Promise<BatchResult> {
  const { keepHours, expireHours = null, dryRun } = options;
  await central.begin();
  try {
    await requireServer(central, 'central');
    const [row] = await central.query<{ result: BatchResult }>(
      'select lizsync.prune_central(make_interval(hours => $1), make_interval(hours => $2), $3) as result',
      [keepHours, expireHours, limit],
    );
    if (row === undefined) throw new Error('lizsync.prune_central() returned nothing');
    await (dryRun ? central.rollback() : central.commit());
    return row.result;
  } catch (error) {
    await central.rollback();
    throw error;
  }
}

function toPrunedClone(clone: { name: string; last_synchronised_at: string | null }): PrunedClone {
  return { name: clone.name, lastSynchronisedAt: clone.last_synchronised_at };
}
