import { Transform } from 'node:stream';
import { type BrotliOptions, constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';
import { BlockStream } from './block-stream.js';

/**
 * How rows are compressed. The quickest level of brotli makes archives smaller than level 6 of deflate does, in a third of
 * the time; every Node has it, and works on it beside the main thread.
 */
export const compressions = ['brotli', 'deflate', 'none'] as const;
export type Compression = (typeof compressions)[number];

/** From 1, quickest, to 9, smallest. */
export const defaultLevels: Record<Compression, number> = { brotli: 1, deflate: 6, none: 0 };

const blockBytes = 64 * 1024;

/** Level 1 begins anew every 128 KB by itself; the main thread, which hands over the blocks, has less to do with large ones. */
const blockBytesOfLevel1 = 512 * 1024;

/** Rows come in pieces of a few kB, and leave brotli in such ones: whatever follows has less to do with large ones. */
const collectedBytes = 256 * 1024;

/** A block of zeros takes 13 bytes, and 92 of level 1. */
const fewestBytesOfBlock = 8;

/** Brotli knows no limit of its own, but what `compressBlocks` writes never grows by more than that when it is read. */
export const maximalBrotliRatio = blockBytes / fewestBytesOfBlock;

/**
 * Compresses with brotli block by block, each of which begins anew in the output: so nothing gets absurdly small, and it
 * packs changing data a little better.
 * @param onChunk is told what comes in
 * @returns streams to be joined, the first of which counts what comes in
 */
export function compressBlocks(level: number, onChunk?: (chunk: Buffer) => void): [BlockStream, ...Transform[]] {
  const bytes = level === 1 ? blockBytesOfLevel1 : blockBytes;
  const brotli = createBrotliCompress({
    // so that it works while more is read and written
    highWaterMark: 2 * bytes,
    flush: constants.BROTLI_OPERATION_FLUSH,
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: level === 1 ? 18 : 22,
    },
    chunkSize: bytes,
  } as BrotliOptions);
  return [new BlockStream(bytes, onChunk), brotli, new BlockStream(collectedBytes)];
}

/**
 * Collects what is not compressed here.
 * @param onChunk is told what comes in
 * @returns the stream that counts it
 */
export function collect(onChunk?: (chunk: Buffer) => void): [BlockStream] {
  return [new BlockStream(collectedBytes, onChunk)];
}

/**
 * The reverse of `compressBlocks`, for data that is not trusted: its streams, to be joined, fail when something else comes
 * out than was said, as soon as that is known.
 * @param compressedBytes how many come in: all of them must belong to the compressed data
 * @param bytes how many come out
 * @param onChunk is told what comes out
 */
export function decompress(
  compressedBytes: number,
  bytes: number,
  onChunk?: (chunk: Buffer) => void,
): [Transform, Transform] {
  // its window has 16 MB at most, whatever the data says
  const brotli = createBrotliDecompress({ chunkSize: blockBytes, highWaterMark: 8 * blockBytes } as BrotliOptions);
  let passed = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      passed += chunk.length;
      if (passed > bytes) {
        callback(new Error(`more than ${bytes} bytes come out of it`));
        return;
      }
      try {
        onChunk?.(chunk);
        callback(null, chunk);
      } catch (error) {
        callback(error as Error);
      }
    },
    flush(callback) {
      if (passed !== bytes) callback(new Error(`${passed} bytes instead of ${bytes} come out of it`));
      else if (brotli.bytesWritten !== compressedBytes) callback(new Error('something follows the compressed data'));
      else callback();
    },
  });
  return [brotli, check];
}
