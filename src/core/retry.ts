import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import type { ProgressCallback } from './progress.js';

/** Deadlocks and the like: another try may well pass. */
const attempts = 5;

/**
 * Does work in transactions, and does it again, a few times, when it failed because it met somebody else's: a deadlock, a
 * serialization failure, a lock that was not to be had in time. What is open in `connections` is rolled back before.
 */
export async function retryTransactions<T>(
  onProgress: ProgressCallback,
  connections: Connection[],
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      await Promise.all(connections.map((connection) => connection.rollback()));
      if (attempt === attempts || !(error instanceof DatabaseError) || !error.isRetryable) throw error;
      onProgress({ kind: 'step', text: `trying again (${error.message})` });
      await wait(randomInt(50, 100) * 2 ** attempt);
    }
  }
}
