import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import type { EntryDigest } from './manifest.js';

/** Passes bytes on unchanged, counting and hashing them. */
export class DigestStream extends Transform {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  /** @param onChunk is told every chunk as it passes */
  constructor(private readonly onChunk?: (chunk: Buffer) => void) {
    super({ highWaterMark: 256 * 1024 });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.hash.update(chunk);
      this.bytes += chunk.length;
      this.onChunk?.(chunk);
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback(null, chunk);
  }

  /** What has passed; to be called once, after the end. */
  digest(): EntryDigest {
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}
