import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { LizsyncError, UsageError } from '../errors.js';
import { decompress } from './compression.js';
import { DigestStream } from './digest-stream.js';
import {
  damaged,
  type EntryDigest,
  isBrotliEntry,
  isKnownEntryName,
  type Manifest,
  manifestEntryName,
  maximalEntries,
  maximalManifestBytes,
  maximalTextBytes,
  parseManifest,
} from './manifest.js';

/** No data gets smaller than that by deflating; a few bytes are for tiny ones. */
const maximalRatio = 1032;
const ratioAllowance = 1000;

/** For the directory's remarks about one entry, which nobody needs. */
const maximalRemarkBytes = 1000;

export interface ArchiveReader {
  readonly manifest: Manifest;
  /** SHA-256 of manifest.json in hex: it stands for the whole archive, since it holds the checksums of all entries. */
  readonly manifestSha256: string;
  /** Bytes of the file. */
  readonly bytes: number;
  has(name: string): boolean;
  /** An entry as text, checked. */
  readText(name: string): Promise<string>;
  /**
   * Passes an entry to `consume` as it is read. Bytes are passed on before the checksum is known: the caller must not keep
   * what it made of them when this throws.
   */
  stream<T>(name: string, consume: (content: Readable) => Promise<T>, onChunk?: (chunk: Buffer) => void): Promise<T>;
  /** Reads an entry for nothing but its checksum, and throws when it is wrong. */
  verify(name: string): Promise<void>;
}

/**
 * Opens an archive, whose content is not trusted: nothing is extracted, only entries of known names are read, with the
 * sizes and the checksums that the manifest gives.
 * @throws UsageError when there is no such file
 * @throws LizsyncError when it is no package, damaged, or of a newer format
 */
export async function withArchive<T>(file: string, work: (archive: ArchiveReader) => Promise<T>): Promise<T> {
  const bytes = await measureFile(file);
  const zip = await openZip(file);
  try {
    return await work(await readDirectory(zip, bytes));
  } finally {
    zip.close();
  }
}

async function measureFile(file: string): Promise<number> {
  try {
    const facts = await stat(file);
    if (facts.isFile()) return facts.size;
  } catch (error) {
    throw new UsageError(`cannot read the archive ${file}: ${(error as Error).message}`, { cause: error });
  }
  throw new UsageError(`${file} is not a file`);
}

async function openZip(file: string): Promise<ZipFile> {
  try {
    return await openPromise(file, {
      autoClose: false,
      lazyEntries: true,
      decodeStrings: true,
      strictFileNames: true,
      validateEntrySizes: true,
    });
  } catch (error) {
    throw damaged(`it is not a complete ZIP file (${(error as Error).message})`, error);
  }
}

async function readDirectory(zip: ZipFile, bytes: number): Promise<ArchiveReader> {
  const entries = await listEntries(zip);
  const manifestEntry = entries.get(manifestEntryName);
  if (manifestEntry === undefined) throw damaged(`it has no ${manifestEntryName}: it is not a package of lizsync`);
  const manifestContent = await collect(zip, manifestEntry);
  if (!isUtf8(manifestContent)) throw damaged(`${manifestEntryName} is not text`);
  const manifest = parseManifest(manifestContent.toString('utf8'));
  checkEntries(entries, manifest);

  async function stream<R>(
    name: string,
    consume: (content: Readable) => Promise<R>,
    onChunk?: (chunk: Buffer) => void,
  ): Promise<R> {
    const entry = entries.get(name);
    const expected = manifest.entries[name];
    if (entry === undefined || expected === undefined) throw damaged(`${name} is missing`);
    const rows = isBrotliEntry(name) ? manifest.tables.find((table) => table.entry === name) : undefined;
    return streamEntry(zip, entry, { ...expected, uncompressedBytes: rows?.bytes }, consume, onChunk);
  }

  return {
    manifest,
    manifestSha256: createHash('sha256').update(manifestContent).digest('hex'),
    bytes,
    has: (name) => entries.has(name),
    stream,
    verify: (name) => stream(name, (content) => finished(content.resume())),
    async readText(name) {
      if ((manifest.entries[name]?.bytes ?? 0) > maximalTextBytes) throw damaged(`${name} is too large`);
      const content = await stream(name, gather);
      if (!isUtf8(content)) throw damaged(`${name} is not text`);
      return content.toString('utf8');
    },
  };
}

async function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  if (zip.entryCount > maximalEntries) throw damaged(`it holds ${zip.entryCount} entries`);
  try {
    for await (const entry of zip.eachEntry()) {
      const { fileName } = entry;
      if (!isKnownEntryName(fileName)) throw damaged(`it holds ${JSON.stringify(fileName.slice(0, 100))}`);
      if (entries.has(fileName)) throw damaged(`it holds ${fileName} twice`);
      if (!entry.canDecodeFileData()) throw damaged(`${fileName} is encrypted or compressed in an unknown way`);
      checkEntry(entry);
      entries.set(fileName, entry);
    }
  } catch (error) {
    throw error instanceof LizsyncError ? error : damaged((error as Error).message, error);
  }
  return entries;
}

/** Refuses what no program that packs files writes, before anything of it is read. */
function checkEntry(entry: Entry): void {
  const { fileName, compressedSize, uncompressedSize } = entry;
  const fileType = (entry.externalFileAttributes >>> 28) & 0xf;
  const madeOnUnix = entry.versionMadeBy >>> 8 === 3;
  const plainFile = 8;
  if (madeOnUnix && fileType !== 0 && fileType !== plainFile) throw damaged(`${fileName} is not a plain file`);
  if (entry.extraFieldLength + entry.fileCommentLength > maximalRemarkBytes) {
    throw damaged(`the directory says too much about ${fileName}`);
  }
  if (uncompressedSize > compressedSize * maximalRatio + ratioAllowance) {
    throw damaged(`${fileName} would grow from ${compressedSize} to ${uncompressedSize} bytes`);
  }
}

/** The archive has what the manifest names, in the sizes that it names, and nothing else. */
function checkEntries(entries: Map<string, Entry>, manifest: Manifest): void {
  for (const [name, { bytes }] of Object.entries(manifest.entries)) {
    const entry = entries.get(name);
    if (entry === undefined) throw damaged(`${name} is missing`);
    if (entry.uncompressedSize !== bytes)
      throw damaged(`${name} has ${entry.uncompressedSize} bytes instead of ${bytes}`);
  }
  for (const name of entries.keys()) {
    if (name !== manifestEntryName && !Object.hasOwn(manifest.entries, name)) {
      throw damaged(`${name} is not in the manifest`);
    }
  }
}

async function collect(zip: ZipFile, entry: Entry): Promise<Buffer> {
  if (entry.uncompressedSize > maximalManifestBytes) throw damaged(`${entry.fileName} is too large`);
  try {
    return await gather(await zip.openReadStreamPromise(entry));
  } catch (error) {
    throw damaged(`${entry.fileName}: ${(error as Error).message}`, error);
  }
}

async function gather(content: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function streamEntry<R>(
  zip: ZipFile,
  entry: Entry,
  expected: EntryDigest & { uncompressedBytes: number | undefined },
  consume: (content: Readable) => Promise<R>,
  onChunk: ((chunk: Buffer) => void) | undefined,
): Promise<R> {
  const { fileName } = entry;
  let content: Readable;
  try {
    content = await zip.openReadStreamPromise(entry);
  } catch (error) {
    throw damaged(`${fileName}: ${(error as Error).message}`, error);
  }
  const { bytes, sha256, uncompressedBytes } = expected;
  const digest = new DigestStream(uncompressedBytes === undefined ? onChunk : undefined);
  const decompressors = uncompressedBytes === undefined ? [] : decompress(bytes, uncompressedBytes, onChunk);
  let readError: unknown;
  for (const stream of [content, ...decompressors]) {
    stream.once('error', (error) => {
      readError ??= error;
    });
  }
  const read = pipeline([content, digest, ...decompressors]);
  read.catch(() => {});
  let result: R;
  try {
    result = await consume(decompressors.at(-1) ?? digest);
    await read;
  } catch (error) {
    content.destroy();
    if (readError !== undefined) throw damaged(`${fileName}: ${(readError as Error).message}`, readError);
    throw error;
  }
  if (digest.digest().sha256 !== sha256) throw damaged(`the checksum of ${fileName} is wrong`);
  return result;
}
