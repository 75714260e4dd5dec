import { Transform, type TransformCallback } from 'node:stream';

/** Passes bytes on in blocks of the same size, whatever pieces they come in, and counts them. */
export class BlockStream extends Transform {
  bytes = 0;
  readonly #size: number;
  #block: Buffer;
  #filled = 0;

  /**
   * @param size of a block in bytes; the last one is shorter
   * @param onBlock is told every block as it passes
   */
  constructor(
    size: number,
    readonly onBlock?: (block: Buffer) => void,
  ) {
    super({ highWaterMark: 2 * size });
    this.#size = size;
    this.#block = Buffer.allocUnsafe(size);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      for (let taken = 0; taken < chunk.length; ) {
        const copied = chunk.copy(this.#block, this.#filled, taken);
        this.#filled += copied;
        taken += copied;
        if (this.#filled === this.#size) this.#pass();
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
    this.#block = Buffer.allocUnsafe(this.#size);
    this.#filled = 0;
    this.bytes += block.length;
    this.onBlock?.(block);
    this.push(block);
  }
}
