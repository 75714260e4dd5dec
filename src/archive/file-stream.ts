import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';

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
    writev(chunks, callback) {
      handle.writeFile(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer))).then(() => callback(), callback);
    },
  });
}
