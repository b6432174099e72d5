/**
 * Keeps the bytes of one value. A value inside one chunk is a subarray of it (no copy); one that spans chunks is
 * gathered in a buffer that doubles, and copied out once at its exact size, so that many tiny chunks cost linear time.
 */
export class Capture {
  /** Bytes of the value so far, kept or not. Complete after `take`. */
  length = 0;
  readonly #maxBytes: number;
  #held: Buffer = Buffer.alloc(0);
  #heldLength = 0;
  /** Where the value begins, or goes on, in the current chunk; -1 when nothing is being captured. */
  #from = -1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get active(): boolean {
    return this.#from >= 0;
  }

  begin(index: number): void {
    this.length = 0;
    this.#heldLength = 0;
    this.#from = index;
  }

  /** Stops and forgets. */
  drop(): void {
    this.#from = -1;
  }

  /** The chunk ended inside the value. */
  suspend(chunk: Buffer): void {
    if (this.#from < 0) return;
    this.#append(chunk.subarray(this.#from));
    this.#from = 0;
  }

  /** The value ended before `end`: its bytes, or undefined when there are more than the limit. */
  take(chunk: Buffer, end: number): Buffer | undefined {
    const tail = chunk.subarray(this.#from, end);
    this.#from = -1;
    if (this.length === 0) {
      this.length = tail.length;
      return tail.length > this.#maxBytes ? undefined : tail;
    }
    this.#append(tail);
    return this.length > this.#maxBytes ? undefined : Buffer.from(this.#held.subarray(0, this.#heldLength));
  }

  #append(piece: Buffer): void {
    this.length += piece.length;
    if (this.length > this.#maxBytes) {
      this.#held = Buffer.alloc(0);
      this.#heldLength = 0;
      return;
    }
    if (this.#held.length < this.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.max(this.length, Math.min(this.#held.length * 2, this.#maxBytes), 4096),
      );
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    piece.copy(this.#held, this.#heldLength);
    this.#heldLength = this.length;
  }
}
