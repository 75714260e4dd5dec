import { Writable } from 'node:stream';
import type { CopyIn } from './connection.js';

const lineEnd = 0x0a;

/**
 * Takes the bytes of one COPY, in text format, and hands them to several that follow each other. A part is as long as
 * `smallestPart`, in bytes, or a tenth of all before it, and ends with a row. What is left goes into the last part.
 */
export class PartedCopyIn extends Writable implements CopyIn {
  readonly #copies: CopyIn;
  readonly #startNext: () => void;
  readonly #smallestPart: number;
  /** How many COPYs the server expects after the one that is running. */
  #left: number;
  #bytes = 0;
  #partBytes = 0;

  /** `copies` takes the bytes of the COPY that is running; `startNext` ends it and begins the next of `count`. */
  constructor(copies: CopyIn, count: number, smallestPart: number, startNext: () => void) {
    super();
    this.#copies = copies;
    this.#left = count - 1;
    this.#smallestPart = smallestPart;
    this.#startNext = startNext;
    copies.once('error', (error) => this.destroy(error));
  }

  /** Number of rows of all parts, once finished. */
  get rowCount(): number {
    return this.#copies.rowCount;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const isLongEnough = this.#partBytes + chunk.length >= Math.max(this.#smallestPart, this.#bytes / 10);
    const end = this.#left > 0 && isLongEnough ? chunk.lastIndexOf(lineEnd) + 1 : 0;
    this.#bytes += chunk.length;
    this.#partBytes += chunk.length;
    if (end === 0) {
      this.#copies.write(chunk, callback);
      return;
    }
    this.#copies.write(chunk.subarray(0, end), (error) => {
      if (!error) {
        this.#next();
        this.#partBytes = chunk.length - end;
      }
      if (error || end === chunk.length) callback(error);
      else this.#copies.write(chunk.subarray(end), callback);
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    while (this.#left > 0) this.#next();
    this.#copies.once('finish', callback);
    this.#copies.end();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#copies.destroyed) {
      callback(error);
    } else {
      this.#copies.once('close', () => callback(error));
      this.#copies.destroy(error ?? undefined);
    }
  }

  #next(): void {
    this.#left -= 1;
    this.#startNext();
  }
}
