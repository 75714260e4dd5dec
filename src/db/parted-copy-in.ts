import { Writable } from 'node:stream';
import type { CopyIn } from './connection.js';
import { CopyRows, copyHeader, copyTrailer } from './copy-rows.js';

/**
 * Takes the bytes of one COPY, in binary format, and hands them to several that follow each other. A part is as long as
 * `smallestPart`, in bytes, or a tenth of all before it, and ends with a row. What is left goes into the last part.
 */
export class PartedCopyIn extends Writable implements CopyIn {
  readonly #copies: CopyIn;
  readonly #startNext: () => void;
  readonly #smallestPart: number;
  readonly #rows = new CopyRows();
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
    this.#take(chunk).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    const finish = async (): Promise<void> => {
      // the trailer has passed: no part that is left has rows
      for (; this.#left > 0; this.#left -= 1) {
        this.#startNext();
        await this.#pass(Buffer.concat([copyHeader, copyTrailer]));
      }
      this.#copies.once('finish', callback);
      this.#copies.end();
    };
    finish().catch(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#copies.destroyed) {
      callback(error);
    } else {
      this.#copies.once('close', () => callback(error));
      this.#copies.destroy(error ?? undefined);
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    const isLongEnough = this.#partBytes + chunk.length >= Math.max(this.#smallestPart, this.#bytes / 10);
    const lastRowEnd = this.#rows.pass(chunk);
    const end = this.#left > 0 && isLongEnough ? lastRowEnd : 0;
    this.#bytes += chunk.length;
    this.#partBytes += chunk.length;
    if (end > 0) {
      await this.#pass(chunk.subarray(0, end));
      await this.#next();
      this.#partBytes = chunk.length - end;
    }
    await this.#pass(chunk.subarray(end));
  }

  async #next(): Promise<void> {
    await this.#pass(copyTrailer);
    this.#startNext();
    this.#left -= 1;
    await this.#pass(copyHeader);
  }

  #pass(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#copies.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}
