import type { FileHandle } from 'node:fs/promises';
import yauzl from 'yauzl';

/** Headers of many small entries lie close together: one read serves thousands of them. */
const WINDOW_BYTES = 256 * 1024;

/**
 * What yauzl reads headers through: our file handle, so that it is never closed behind our back, with a window of
 * read-ahead, since a read of its own for each of four small pieces per entry takes seconds on 70,000 entries.
 */
export class WindowReader extends yauzl.RandomAccessReader {
  readonly #file: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(file: FileHandle) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.#fill(buffer, offset, length, position).then(
      (bytesRead) => callback(null, bytesRead),
      (error: unknown) => callback(error as Error),
    );
  }

  async #fill(buffer: Buffer, offset: number, length: number, position: number): Promise<number> {
    const at = position - this.#windowStart;
    if (at < 0 || at + length > this.#window.length) {
      const window = Buffer.allocUnsafe(Math.max(WINDOW_BYTES, length));
      const { bytesRead } = await this.#file.read(window, 0, window.length, position);
      this.#window = window.subarray(0, bytesRead);
      this.#windowStart = position;
    }
    const start = position - this.#windowStart;
    return this.#window.copy(buffer, offset, start, start + length);
  }
}
