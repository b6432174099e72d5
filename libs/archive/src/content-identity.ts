import { createHash } from 'node:crypto';
import type { Unpacked } from './unpack.ts';

const HEAD_BYTES = 1024 * 1024;

/**
 * What a content is known by, whatever it is packed in: its length, its CRC-32 and the SHA-256 of its first MiB. The
 * same content in a ZIP, in gzip and as it is has one identity; names, times, levels and other entries do not count.
 */
export class ContentIdentity {
  readonly #head = createHash('sha256');
  #missing = HEAD_BYTES;

  push(chunk: Buffer): void {
    if (this.#missing === 0) return;
    const part = chunk.subarray(0, this.#missing);
    this.#head.update(part);
    this.#missing -= part.length;
  }

  get isHeadComplete(): boolean {
    return this.#missing === 0;
  }

  /** `content-<bytes>-<CRC-32>-<SHA-256>`, once its head was pushed. */
  end({ bytes, crc32 }: Unpacked): string {
    return `content-${bytes}-${crc32.toString(16).padStart(8, '0')}-${this.#head.digest('hex')}`;
  }
}
