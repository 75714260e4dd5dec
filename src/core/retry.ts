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

/** The first pause between two attempts, doubled with each further one. */
const firstPauseMilliseconds = 1000;
const longestPauseMilliseconds = 60_000;

/**
 * Does work that opens its own connections, and does it again when one of them could not be made or was lost, after a
 * pause that grows. Other errors are not tried again: they would come again.
 * @param retries how often to try again at most; 0: never
 * @param signal ends the pause when aborted
 */
export async function retryConnections<T>(
  retries: number,
  onProgress: ProgressCallback,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let retry = 1; ; retry += 1) {
    try {
      return await work();
    } catch (error) {
      if (retry > retries || signal?.aborted || !isConnectionError(error)) throw error;
      // not all who lost the same network come back at the same moment
      const pause =
        Math.min(firstPauseMilliseconds * 2 ** (retry - 1), longestPauseMilliseconds) * (0.5 + Math.random() / 2);
      const seconds = Math.ceil(pause / 1000);
      onProgress({ kind: 'step', text: `trying again in ${seconds} s, ${retry} of ${retries} (${error.message})` });
      await wait(pause, undefined, { signal }).catch(() => {
        throw signal?.reason ?? error;
      });
    }
  }
}

/** Also what a clone reports about its own connection to the central. */
function isConnectionError(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && (error.isConnectionFailure || (error.sqlstate?.startsWith('08') ?? false));
}
