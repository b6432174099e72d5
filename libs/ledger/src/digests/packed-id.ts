import { hash } from 'node:crypto';

/** A conversation's id in 16 bytes, as four words: those of its UUID, or the first of the SHA-256 of any other text. */
export type PackedId = Int32Array;

export const ID_WORDS = 4;

const UUID_LENGTH = 36;
const DASH = 0x2d;
const DIGITS_PER_WORD = 8;

/** What each byte is worth as a hexadecimal digit: -1 for none. Genesys writes lower case; another spelling is another text. */
const DIGIT = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value += 1) DIGIT[value.toString(16).charCodeAt(0)] = value;

/** Packs what lies between `from` and `to`. */
export function packId(text: Uint8Array, from: number, to: number, target: PackedId): void {
  if (to - from === UUID_LENGTH && packUuid(text, from, target)) return;
  const digest = hash('sha256', text.subarray(from, to), 'buffer');
  for (let word = 0; word < ID_WORDS; word += 1) target[word] = digest.readInt32BE(word * 4);
}

const INVALID = '!';
const INVALID_LENGTH = 33;

/** What stands for the id of a record that may have none: its content, by half of its digest. */
export function invalidId(digest: Buffer): Buffer {
  return Buffer.from(INVALID + digest.toString('hex', 0, 16));
}

/** Whether what lies between `from` and `to` is such an id. */
export function isInvalidId(text: Uint8Array, from: number, to: number): boolean {
  return to - from === INVALID_LENGTH && text[from] === INVALID.charCodeAt(0);
}

function packUuid(text: Uint8Array, from: number, target: PackedId): boolean {
  let digits = 0;
  let word = 0;
  for (let at = 0; at < UUID_LENGTH; at += 1) {
    const byte = text[from + at]!;
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (byte !== DASH) return false;
      continue;
    }
    const digit = DIGIT[byte]!;
    if (digit < 0) return false;
    word = (word << 4) | digit;
    digits += 1;
    if (digits % DIGITS_PER_WORD === 0) target[digits / DIGITS_PER_WORD - 1] = word;
  }
  return true;
}
