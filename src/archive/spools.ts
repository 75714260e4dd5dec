import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { LizsyncError } from '../errors.js';

interface Spool {
  path: string;
  handle: FileHandle;
  bytes: number;
  /** How many entries wait in it. */
  waiting: number;
}

interface WaitingEntry {
  name: string;
  spool: Spool;
  start: number;
  end: number;
}

/**
 * Temporary files for entries that come while an archive takes another one. They lose their names as soon as they are
 * made, where the system allows that, so that nothing is left of them however the process ends.
 */
export class Spools {
  readonly #file: string;
  readonly #all: Spool[] = [];
  #free: Spool[] = [];
  #waiting: WaitingEntry[] = [];

  /** @param file beside which they are made */
  constructor(file: string) {
    this.#file = file;
  }

  /** Keeps an entry, as `write` writes it, until `drain`. */
  async add(name: string, write: (output: Writable) => Promise<void>): Promise<void> {
    const spool = this.#free.pop() ?? (await this.#open());
    const start = spool.bytes;
    const output = writeAt(spool.handle, (chunk) => {
      const position = spool.bytes;
      spool.bytes += chunk.length;
      return position;
    });
    await write(output);
    spool.waiting += 1;
    this.#waiting.push({ name, spool, start, end: spool.bytes });
    this.#free.push(spool);
  }

  /** Gives all entries that wait to `take`, one after the other, and forgets them. */
  async drain(take: (name: string, content: Readable) => Promise<void>): Promise<void> {
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      const { name, spool, start, end } = entry;
      await take(name, Readable.from(readRange(spool.handle, start, end), { objectMode: false }));
      spool.waiting -= 1;
      // gives the space on disk back
      if (spool.waiting === 0 && this.#free.includes(spool)) {
        this.#free = this.#free.filter((other) => other !== spool);
        await spool.handle.truncate(0);
        spool.bytes = 0;
        this.#free.push(spool);
      }
    }
  }

  /** Closes the files, and with that removes them. */
  async close(): Promise<void> {
    for (const { handle, path } of this.#all) {
      await handle.close().catch(() => {});
      if (process.platform === 'win32') await rm(path, { force: true });
    }
  }

  async #open(): Promise<Spool> {
    const path = `${this.#file}.partial-${randomBytes(6).toString('hex')}`;
    const handle = await open(path, 'wx+', 0o600);
    if (process.platform !== 'win32') await rm(path);
    const spool = { path, handle, bytes: 0, waiting: 0 };
    this.#all.push(spool);
    return spool;
  }
}

async function* readRange(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let position = start; position < end; ) {
    const chunk = Buffer.allocUnsafe(Math.min(256 * 1024, end - position));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) throw new Error('a temporary file ended early');
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** A stream into places of a file that `take` names for every chunk. */
function writeAt(handle: FileHandle, take: (chunk: Buffer) => number): Writable {
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
