import { Transform, type TransformCallback } from 'node:stream';
import { type BrotliOptions, constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';

/**
 * How rows are compressed. The quickest level of brotli makes archives smaller than level 6 of deflate does, in a third of
 * the time; every Node has it, and works on it beside the main thread.
 */
export const compressions = ['brotli', 'deflate', 'none'] as const;
export type Compression = (typeof compressions)[number];

/** From 1, quickest, to 9, smallest. */
export const defaultLevels: Record<Compression, number> = { brotli: 1, deflate: 6, none: 0 };

const blockBytes = 64 * 1024;

/** So many blocks wait on each side of brotli, so that it works while others are read and written. */
const highWaterMark = 8 * blockBytes;

/** A block of zeros takes 13 bytes. */
const fewestBytesOfBlock = 8;

/** Brotli knows no limit of its own, but what `compressBlocks` writes never grows by more than that when it is read. */
export const maximalBrotliRatio = blockBytes / fewestBytesOfBlock;

/**
 * Compresses with brotli block by block, each of which begins anew in the output: so nothing gets absurdly small, and it
 * packs changing data a little better.
 * @param onChunk is told what comes in
 * @returns streams to be joined, and how many bytes have come in
 */
export function compressBlocks(
  level: number,
  onChunk?: (chunk: Buffer) => void,
): { streams: [Transform, Transform]; readonly bytes: number } {
  const blocks = new BlockStream(onChunk);
  const brotli = createBrotliCompress({
    highWaterMark,
    flush: constants.BROTLI_OPERATION_FLUSH,
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: level === 1 ? 18 : 22,
    },
    chunkSize: blockBytes,
  } as BrotliOptions);
  return {
    streams: [blocks, brotli],
    get bytes() {
      return blocks.bytes;
    },
  };
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
  const brotli = createBrotliDecompress({ chunkSize: blockBytes, highWaterMark } as BrotliOptions);
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

/** Cuts bytes into blocks of the same size. */
class BlockStream extends Transform {
  bytes = 0;
  #block = Buffer.allocUnsafe(blockBytes);
  #filled = 0;

  constructor(readonly onBlock: ((block: Buffer) => void) | undefined) {
    super({ highWaterMark });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      for (let taken = 0; taken < chunk.length; ) {
        const copied = chunk.copy(this.#block, this.#filled, taken);
        this.#filled += copied;
        taken += copied;
        if (this.#filled === blockBytes) this.#pass();
      }
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _flush(callback: TransformCallback): void {
    try {
      if (this.#filled > 0) this.#pass();
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  #pass(): void {
    const block = this.#block.subarray(0, this.#filled);
    this.#block = Buffer.allocUnsafe(blockBytes);
    this.#filled = 0;
    this.bytes += block.length;
    this.onBlock?.(block);
    this.push(block);
  }
}
