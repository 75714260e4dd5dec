import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LizsyncError, UsageError } from '../errors.js';
import { type Compression, collect, compressBlocks, defaultLevels } from './compression.js';
import { DigestStream } from './digest-stream.js';
import { writeToHandle } from './file-stream.js';
import { type EntryDigest, isBrotliEntry } from './manifest.js';
import { Spools } from './spools.js';

export interface AddedEntry {
  digest: EntryDigest;
  /** Size of the content, uncompressed. */
  bytes: number;
}

export interface ArchiveWriter {
  /**
   * Adds an entry and waits until its content is taken. Several can be on their way: one goes into the archive as it
   * comes, the others into temporary files beside it, which have no name and go with the process.
   * @param name of the rows of a table: nameDataEntry(..., compression)
   * @param onChunk is told what passes, uncompressed
   */
  add(name: string, content: Readable | string, onChunk?: (chunk: Buffer) => void): Promise<AddedEntry>;
  /** Bytes in the file so far. */
  readonly size: number;
}

export interface WriteArchiveOptions {
  /** Of rows; texts are deflated, unless it is none. */
  compression: Compression;
  /** 1 (quickest) to 9 (smallest); default: by the kind of compression. */
  compressionLevel?: number | undefined;
  /** Ends the work, and leaves nothing, when it is aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes a ZIP file. It has its name only when it is complete and on disk: until then it is FILE.partial-..., readable by
 * its owner alone, and it is removed when anything fails.
 *
 * @param file is replaced when it exists
 * @param write adds the entries; what it does last, still before the file has its name, is `complete`
 * @param complete runs when the whole file is on disk, just before it gets its name
 * @returns what `write` returned, and the size of the file in bytes
 * @throws UsageError when the file can't be created there
 */
export async function writeArchive<T>(
  file: string,
  options: WriteArchiveOptions,
  write: (archive: ArchiveWriter) => Promise<T>,
  complete: (result: T) => Promise<void>,
): Promise<{ result: T; bytes: number }> {
  await removeLeftovers(file);
  const partialFile = `${file}.partial-${nameWriter()}-${randomBytes(4).toString('hex')}`;
  const handle = await create(partialFile, file);
  // whoever ends the process in haste leaves no time for anything else
  const removeAtExit = (): void => rmSync(partialFile, { force: true });
  process.once('exit', removeAtExit);
  try {
    let written: { result: T; bytes: number };
    try {
      written = await fill(handle, file, options, write);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await complete(written.result);
    await rename(partialFile, file);
    await syncDirectory(path.dirname(file));
    return written;
  } catch (error) {
    await rm(partialFile, { force: true });
    if (options.signal?.aborted && !(error instanceof LizsyncError))
      throw new LizsyncError('interrupted', { cause: error });
    throw error;
  } finally {
    process.off('exit', removeAtExit);
  }
}

/** What tells in the name of a partial file who writes it: the machine and the process. */
function nameWriter(processId = process.pid): string {
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  return `${machine}-${processId}`;
}

/** Removes what processes of this machine that were killed have left of the same archive. */
async function removeLeftovers(file: string): Promise<void> {
  const directory = path.dirname(file);
  const start = `${path.basename(file)}.partial-`;
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith(start))) {
    const [, processId] = /^[0-9a-f]{8}-([0-9]+)-[0-9a-f]{8}$/.exec(name.slice(start.length)) ?? [];
    if (processId === undefined || !name.startsWith(`${start}${nameWriter(Number(processId))}-`)) continue;
    if (!isAlive(Number(processId))) await rm(path.join(directory, name), { force: true });
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function create(partialFile: string, file: string): Promise<FileHandle> {
  try {
    return await open(partialFile, 'wx', 0o600);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${(error as Error).message}`, {
      hint: 'Name a file in a directory that exists and can be written to.',
      cause: error,
    });
  }
}

async function fill<T>(
  handle: FileHandle,
  file: string,
  options: WriteArchiveOptions,
  write: (archive: ArchiveWriter) => Promise<T>,
): Promise<{ result: T; bytes: number }> {
  const { compression } = options;
  const level = options.compressionLevel ?? defaultLevels[compression];
  // only here: no other command should wait for it to be loaded
  const { ZipArchive } = await import('archiver');
  const zip = new ZipArchive({
    zlib: { level: compression === 'deflate' ? level : defaultLevels.deflate },
    store: compression === 'none',
  });
  const spools = new Spools(file);
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  // rejects as soon as the file can't be written any more, whatever entry is on its way then
  const toFile = pipeline(zip, writeToHandle(handle), { signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new LizsyncError(`the archive cannot be written: ${(error as Error).message}`, { cause: error });
  });
  toFile.catch(() => {});
  /** Settles when the archive is free for the next entry; undefined: it is. */
  let busy: Promise<void> | undefined;

  const append = async (name: string, content: Readable): Promise<void> => {
    const entered = new Promise<void>((resolve) => zip.once('entry', () => resolve()));
    zip.append(content, { name, mode: 0o600, store: compression === 'none' || isBrotliEntry(name) });
    await Promise.race([entered, toFile.then(() => entered)]);
  };
  /** What is in temporary files comes behind the entry that has just been written. */
  const use = (work: () => Promise<void>): Promise<void> => {
    const using = work().then(() => spools.drain(append));
    busy = using.then(
      () => {
        busy = undefined;
      },
      () => {},
    );
    return using;
  };
  const writer: ArchiveWriter = {
    get size() {
      return zip.pointer();
    },
    async add(name, content, onChunk) {
      const blocks = isBrotliEntry(name) ? compressBlocks(level, onChunk) : collect(onChunk);
      const digest = new DigestStream();
      const parts = [toStream(content), ...blocks, digest];
      if (busy === undefined) {
        await use(async () => {
          const passed = pipeline(parts, { signal });
          const added = Promise.all([passed, append(name, digest)]);
          added.catch(() => {});
          await added;
        });
      } else {
        await spools.add(name, (output) => pipeline([...parts, output], { signal }));
      }
      return { digest: digest.digest(), bytes: blocks[0].bytes };
    },
  };
  try {
    const result = await write(writer);
    await busy;
    // what came into temporary files while the archive took the last entry
    await use(async () => {});
    zip.finalize().catch(() => {});
    await toFile;
    return { result, bytes: zip.pointer() };
  } catch (error) {
    stopped.abort();
    zip.abort();
    await Promise.allSettled([toFile, busy]);
    throw error;
  } finally {
    await spools.close();
  }
}

function toStream(content: Readable | string): Readable {
  return typeof content === 'string' ? Readable.from(content === '' ? [] : [Buffer.from(content)]) : content;
}

/** Makes the name of a file as durable as its content. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
