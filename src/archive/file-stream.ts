import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { LizsyncError } from '../errors.js';

/**
 * A stream into an open file, from its current position on. Unlike the one that a file handle makes itself it leaves the
 * file open at its end, to be synced, and can end a pipeline all the same.
 */
export function writeToHandle(handle: FileHandle): Writable {
  return new Writable({
    highWaterMark: 1024 * 1024,
    write(chunk: Buffer, _encoding, callback) {
      handle.writeFile(chunk).then(() => callback(), callback);
    },
  });
}

/** A stream into places of a file that `take` names for every chunk. */
export function writeAt(handle: FileHandle, take: (chunk: Buffer) => number): Writable {
  return new Writable({
    highWaterMark: 1024 * 1024,
    write(chunk: Buffer, _encoding, callback) {
      writeAll(handle, chunk, take(chunk)).then(() => callback(), callback);
    },
    writev(chunks, callback) {
      const all = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer));
      writeAll(handle, all, take(all)).then(() => callback(), callback);
    },
  });
}

/** @throws LizsyncError when the disk is full, for instance */
async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  } catch (error) {
    throw new LizsyncError(`the archive cannot be written: ${(error as Error).message}`, { cause: error });
  }
}
