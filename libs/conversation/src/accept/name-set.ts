const MAX_NAMES = 4096;
const SLOTS = 4 * MAX_NAMES;

/** Names seen in the objects of one record, each as a hash and the object's number (from 1). Never grows. */
export class NameSet {
  readonly #hashes = new Int32Array(SLOTS);
  /** Of the object; 0 where the slot is free. */
  readonly #owners = new Int32Array(SLOTS);
  readonly #used = new Int32Array(MAX_NAMES);
  #size = 0;

  clear(): void {
    for (let index = 0; index < this.#size; index += 1) this.#owners[this.#used[index]!] = 0;
    this.#size = 0;
  }

  /** False where the object may have the name already: its hash is there, or the set is full. */
  add(owner: number, hash: number): boolean {
    if (this.#size === MAX_NAMES) return false;
    let slot = (hash ^ Math.imul(owner, 0x9e3779b1)) & (SLOTS - 1);
    while (this.#owners[slot] !== 0) {
      if (this.#owners[slot] === owner && this.#hashes[slot] === hash) return false;
      slot = (slot + 1) & (SLOTS - 1);
    }
    this.#owners[slot] = owner;
    this.#hashes[slot] = hash;
    this.#used[this.#size] = slot;
    this.#size += 1;
    return true;
  }
}
