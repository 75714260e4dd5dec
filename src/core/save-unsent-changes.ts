import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { writeToHandle } from '../archive/file-stream.js';
import type { Connection } from '../db/connection.js';
import { UsageError } from '../errors.js';

const backslash = 0x5c;

/** Up to where a central has the log of a clone, as PostgreSQL writes it; `ahead` names the tables of which it has more. */
export interface LogPosition {
  position: string;
  ahead: string;
}

/**
 * Writes the changes of a clone that its central does not have to a new file, one JSON object a line.
 * @param position up to which the central has the clone's log; null: it has nothing of it
 * @returns how many there are
 * @throws UsageError when the file exists or can't be written
 */
export async function saveUnsentChanges(
  connection: Connection,
  position: LogPosition | null,
  file: string,
): Promise<number> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'wx', 0o600);
  } catch (error) {
    throw new UsageError(`cannot write the changes that were not sent to ${file}: ${(error as Error).message}`, {
      hint: 'Name a new file in a directory that can be written to: --unsent-changes FILE',
      cause: error,
    });
  }
  try {
    const copy = connection.copyOut(
      `copy (select change from lizsync.unsent_changes(${position === null ? `null, '[]'` : `${pg.escapeLiteral(position.position)}, ${pg.escapeLiteral(position.ahead)}`})) to stdout`,
    );
    await pipeline(copy, undoCopyEscapes(), writeToHandle(handle));
    await handle.sync();
    return await copy.completed;
  } finally {
    await handle.close();
  }
}

/** JSON has no control characters, so that backslashes, doubled, are all that the text format of COPY changes in it. */
function undoCopyEscapes(): Transform {
  let isSecond = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      const result = Buffer.allocUnsafe(chunk.length);
      let length = 0;
      for (const byte of chunk) {
        isSecond = byte === backslash && !isSecond;
        if (byte !== backslash || isSecond) result[length++] = byte;
      }
      callback(null, result.subarray(0, length));
    },
  });
}
