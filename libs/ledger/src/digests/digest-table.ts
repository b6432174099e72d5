import assert from 'node:assert/strict';
import { ID_WORDS, type PackedId } from './packed-id.ts';
import { STATE_WORDS, type PackedState } from './packed-state.ts';

/** Id, state, and whether it is still held. */
const ENTRY_WORDS = ID_WORDS + STATE_WORDS + 1;
const HELD_AT = ENTRY_WORDS - 1;

const LARGE_CHUNK = 16_384;
const LEAST_SLOTS = 64;

/**
 * What was published last of many conversations: 52 bytes each and 6 to 12 for the index, where a Map of strings takes
 * some hundreds. Open addressing: a slot holds the number of an entry, entries lie one after the other in chunks, which
 * are never copied.
 */
export class DigestTable {
  readonly #chunkEntries: number;
  readonly #chunks: Int32Array[] = [];
  /** 0 where a slot is free, else an entry's number plus 1. */
  #slots = new Int32Array(LEAST_SLOTS);
  /** Those that were deleted count, too. */
  #entries = 0;
  #size = 0;

  /** `chunkEntries`: how many more entries there is room for each time that it grows. */
  constructor(chunkEntries = LARGE_CHUNK) {
    this.#chunkEntries = chunkEntries;
  }

  get size(): number {
    return this.#size;
  }

  /** What it takes of memory. */
  get bytes(): number {
    return (this.#chunks.length * this.#chunkEntries * ENTRY_WORDS + this.#slots.length) * 4;
  }

  /** Shares the table's memory: to be read at once. */
  get(id: PackedId): PackedState | undefined {
    const entry = this.#slots[this.#slotOf(id)]! - 1;
    if (entry < 0 || this.#chunk(entry)[this.#at(entry) + HELD_AT] === 0) return undefined;
    return this.#state(entry);
  }

  set(id: PackedId, state: PackedState): void {
    const entry = this.#entryOf(id);
    const [chunk, at] = [this.#chunk(entry), this.#at(entry)];
    if (chunk[at + HELD_AT] === 0) this.#size += 1;
    chunk[at + HELD_AT] = 1;
    for (let word = 0; word < STATE_WORDS; word += 1) chunk[at + ID_WORDS + word] = state[word]!;
  }

  delete(id: PackedId): boolean {
    const entry = this.#slots[this.#slotOf(id)]! - 1;
    if (entry < 0) return false;
    const [chunk, at] = [this.#chunk(entry), this.#at(entry)];
    if (chunk[at + HELD_AT] === 0) return false;
    chunk[at + HELD_AT] = 0;
    this.#size -= 1;
    return true;
  }

  /** Id and state of each share the table's memory. */
  *[Symbol.iterator](): Generator<readonly [PackedId, PackedState]> {
    for (let entry = 0; entry < this.#entries; entry += 1) {
      const [chunk, at] = [this.#chunk(entry), this.#at(entry)];
      if (chunk[at + HELD_AT] === 1) yield [chunk.subarray(at, at + ID_WORDS), this.#state(entry)];
    }
  }

  #chunk(entry: number): Int32Array {
    return this.#chunks[Math.floor(entry / this.#chunkEntries)]!;
  }

  #at(entry: number): number {
    return (entry % this.#chunkEntries) * ENTRY_WORDS;
  }

  #state(entry: number): PackedState {
    const at = this.#at(entry) + ID_WORDS;
    return this.#chunk(entry).subarray(at, at + STATE_WORDS);
  }

  /** The id's entry, made where it has none. */
  #entryOf(id: PackedId): number {
    const slot = this.#slotOf(id);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) return known;
    const entry = this.#entries;
    if (entry % this.#chunkEntries === 0) this.#chunks.push(new Int32Array(this.#chunkEntries * ENTRY_WORDS));
    this.#chunk(entry).set(id, this.#at(entry));
    this.#slots[slot] = entry + 1;
    this.#entries += 1;
    // At least a third of the slots stays free, so that a search ends soon.
    if (this.#entries * 3 > this.#slots.length * 2) this.#growIndex();
    return entry;
  }

  #growIndex(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let entry = 0; entry < this.#entries; entry += 1) {
      const [chunk, at] = [this.#chunk(entry), this.#at(entry)];
      const slot = this.#slotOf(chunk, at);
      assert.equal(this.#slots[slot], 0, 'an id has two entries');
      this.#slots[slot] = entry + 1;
    }
  }

  /** Where the id's entry is noted, or would be. The id's words begin at `from`. */
  #slotOf(id: Int32Array, from = 0): number {
    const mask = this.#slots.length - 1;
    let slot = scattered(id, from) & mask;
    for (;;) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0 || isAt(this.#chunk(entry), this.#at(entry), id, from)) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

function isAt(chunk: Int32Array, at: number, id: Int32Array, from: number): boolean {
  return (
    chunk[at] === id[from] &&
    chunk[at + 1] === id[from + 1] &&
    chunk[at + 2] === id[from + 2] &&
    chunk[at + 3] === id[from + 3]
  );
}

/** Ids that differ in a few bits, as counted ones do, lie far from each other (the finaliser of MurmurHash3). */
function scattered(id: Int32Array, from: number): number {
  let mixed = id[from]! ^ Math.imul(id[from + 1]!, 0x85ebca6b);
  mixed ^= Math.imul(id[from + 2]!, 0xc2b2ae35) ^ Math.imul(id[from + 3]!, 0x27d4eb2f);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
