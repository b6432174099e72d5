/** Four hexadecimal digits of every 16-bit number: UUIDs are assembled from eight look-ups, not from arithmetic. */
const HEX16: readonly string[] = Array.from({ length: 0x10000 }, (_, n) => n.toString(16).padStart(4, '0'));

/**
 * A small fast generator (sfc32) that can be re-seeded for each record, so that record i needs nothing of record
 * i − 1. Not for secrets.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** Starts the sequence that belongs to (seed, stream); equal arguments give equal sequences. */
  reset(seed: number, stream: number): this {
    this.#a = scramble(seed ^ 0x9e3779b9);
    this.#b = scramble(stream ^ 0x85ebca6b);
    this.#c = scramble(Math.floor(stream / 0x1_0000_0000) ^ (this.#a + this.#b));
    this.#counter = 1;
    for (let i = 0; i < 8; i++) this.u32();
    return this;
  }

  /** Uniform in 0 … 2^32 − 1. */
  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in 0 … limit − 1. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit);
  }

  /** Uniform integer in low … high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.u32() < probability * 0x1_0000_0000;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('pick() needs a list that is not empty');
    return item;
  }

  /** A version 4 UUID. */
  uuid(): string {
    const a = this.u32();
    const b = this.u32();
    const c = this.u32();
    const d = this.u32();
    return `${hex16(a >>> 16)}${hex16(a)}-${hex16(b >>> 16)}-${hex16((b & 0x0fff) | 0x4000)}-${hex16(((c >>> 16) & 0x3fff) | 0x8000)}-${hex16(c)}${hex16(d >>> 16)}${hex16(d)}`;
  }

  /** Eight hexadecimal digits. */
  hex8(): string {
    const a = this.u32();
    return hex16(a >>> 16) + hex16(a);
  }
}

function hex16(n: number): string {
  return HEX16[n & 0xffff] ?? '';
}

/** Spreads neighbouring numbers over all 32 bits (the finaliser of MurmurHash3). */
function scramble(n: number): number {
  let h = n | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
