import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { LizsyncError } from '../errors.js';

/** What a ZIP says about the content of an entry. */
export interface EntryFacts {
  /** Size, uncompressed. */
  bytes: number;
  crc32: number;
}

interface Entry extends EntryFacts {
  name: Buffer;
  compressedBytes: number;
  offset: number;
}

const largest32 = 0xffff_ffff;
const largest16 = 0xffff;
/** UTF-8 names. */
const flags = 0x0800;
const deflated = 8;
/** The version that reads ZIP64, and Unix as the system whose rights are meant. */
const neededVersion = 45;
const madeBy = (3 << 8) | neededVersion;
const ownerReadsAndWrites = 0o100_600;

/**
 * Writes a ZIP file whose entries come compressed, in any size (ZIP64). One entry at a time; nothing is held in memory but
 * their directory.
 */
export class ZipWriter {
  readonly #handle: FileHandle;
  readonly #entries: Entry[] = [];
  readonly #time: number;
  #position = 0;

  /** @param handle of an empty file */
  constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#time = toDosTime(new Date());
  }

  /** Bytes in the file so far. */
  get size(): number {
    return this.#position;
  }

  /**
   * Adds an entry.
   * @param write gets a stream for the content, as raw deflate data, and returns what it was when it has ended the stream
   */
  async add(name: string, write: (output: Writable) => Promise<EntryFacts>): Promise<void> {
    const entry: Entry = { name: Buffer.from(name), bytes: 0, crc32: 0, compressedBytes: 0, offset: this.#position };
    await this.#append(this.#makeHeader(entry));
    const start = this.#position;
    const output = writeAt(this.#handle, (chunk) => {
      const position = this.#position;
      this.#position += chunk.length;
      return position;
    });
    Object.assign(entry, await write(output));
    entry.compressedBytes = this.#position - start;
    await writeAll(this.#handle, this.#makeHeader(entry), entry.offset);
    this.#entries.push(entry);
  }

  /** Writes the directory of the entries, which makes the file complete. */
  async end(): Promise<void> {
    const start = this.#position;
    for (const entry of this.#entries) await this.#append(this.#makeDirectoryEntry(entry));
    const size = this.#position - start;
    const count = this.#entries.length;
    if (count >= largest16 || size >= largest32 || start >= largest32) {
      const end64 = this.#position;
      await this.#append(
        Buffer.concat([
          toBytes([4, 0x0606_4b50], [8, 44], [2, madeBy], [2, neededVersion], [4, 0], [4, 0]),
          toBytes([8, count], [8, count], [8, size], [8, start]),
          toBytes([4, 0x0706_4b50], [4, 0], [8, end64], [4, 1]),
        ]),
      );
    }
    const shortCount = Math.min(count, largest16);
    await this.#append(
      Buffer.concat([
        toBytes([4, 0x0605_4b50], [2, 0], [2, 0], [2, shortCount], [2, shortCount]),
        toBytes([4, Math.min(size, largest32)], [4, Math.min(start, largest32)], [2, 0]),
      ]),
    );
  }

  async #append(bytes: Buffer): Promise<void> {
    await writeAll(this.#handle, bytes, this.#position);
    this.#position += bytes.length;
  }

  /** The sizes stand in the extra field: when a header is written first, they may still become anything. */
  #makeHeader({ name, bytes, crc32: checksum, compressedBytes }: Entry): Buffer {
    return Buffer.concat([
      toBytes([4, 0x0403_4b50], [2, neededVersion], [2, flags], [2, deflated], [4, this.#time], [4, checksum]),
      toBytes([4, largest32], [4, largest32], [2, name.length], [2, 20]),
      name,
      toBytes([2, 1], [2, 16], [8, bytes], [8, compressedBytes]),
    ]);
  }

  #makeDirectoryEntry({ name, bytes, crc32: checksum, compressedBytes, offset }: Entry): Buffer {
    const large = [bytes, compressedBytes, offset].filter((value) => value >= largest32);
    const extra =
      large.length === 0
        ? Buffer.alloc(0)
        : toBytes([2, 1], [2, 8 * large.length], ...large.map((value): [8, number] => [8, value]));
    return Buffer.concat([
      toBytes([4, 0x0201_4b50], [2, madeBy], [2, neededVersion], [2, flags], [2, deflated], [4, this.#time]),
      toBytes([4, checksum], [4, Math.min(compressedBytes, largest32)], [4, Math.min(bytes, largest32)]),
      toBytes([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, ownerReadsAndWrites * 0x1_0000]),
      toBytes([4, Math.min(offset, largest32)]),
      name,
      extra,
    ]);
  }
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

/** Adds a chunk to a checksum that began with 0. */
export function addToCrc32(checksum: number, chunk: Buffer): number {
  return crc32(chunk, checksum);
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

/** Numbers in little-endian order, each with its width in bytes. */
function toBytes(...fields: [2 | 4 | 8, number][]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, width);
    at += width;
  }
  return bytes;
}

/** Date and time as ZIP writes them, in the local time zone: the date in the upper half. */
function toDosTime(time: Date): number {
  const date = ((time.getFullYear() - 1980) << 9) | ((time.getMonth() + 1) << 5) | time.getDate();
  return ((date << 16) | (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1)) >>> 0;
}
