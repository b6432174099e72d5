/** Which of two readings of a conversation is newer; what is unknown is left out. */
export interface RecordVersion {
  /** `data-availability-date`: until when Genesys said that its data was complete. */
  readonly availableAtMs?: number;
  /** `job-submitted-at`. */
  readonly submittedAtMs?: number;
}

/**
 * What is kept of a record, as eight words: the first 16 bytes of its content digest, and its version's two moments, two
 * words each, 0 where they are unknown.
 */
export type PackedState = Int32Array;

export const STATE_WORDS = 8;

const DIGEST_WORDS = 4;
const AVAILABLE_AT = 4;
const SUBMITTED_AT = 6;
const WORD = 2 ** 32;

/** `digest`: SHA-256 of the record's content. Half of it is kept: that two contents share it happens once in 2^128. */
export function packState(digest: Buffer, version: RecordVersion, target: PackedState): void {
  for (let word = 0; word < DIGEST_WORDS; word += 1) target[word] = digest.readInt32BE(word * 4);
  packMoment(version.availableAtMs, target, AVAILABLE_AT);
  packMoment(version.submittedAtMs, target, SUBMITTED_AT);
}

function packMoment(ms: number | undefined, target: PackedState, at: number): void {
  const known = ms !== undefined && Number.isSafeInteger(ms) && ms > 0 ? ms : 0;
  target[at] = (known % WORD) | 0;
  target[at + 1] = Math.floor(known / WORD);
}

function momentAt(state: PackedState, at: number): number {
  return state[at + 1]! * WORD + (state[at]! >>> 0);
}

/** What is to become of a record: published with this word in its header, or not published. */
export type Verdict = 'new' | 'changed' | 'unchanged' | 'stale';

/**
 * Holds a record against the one published last of its conversation and day. Whatever is in doubt is published.
 * `nowMs`: a last one that comes from later than that proves nothing, for a clock was wrong.
 */
export function verdictOn(record: PackedState, last: PackedState | undefined, nowMs: number): Verdict {
  if (last === undefined) return 'new';
  if (isSameContent(record, last)) return 'unchanged';
  return isOlder(record, last, nowMs) ? 'stale' : 'changed';
}

/** By their digests. */
export function isSameContent(one: PackedState, other: PackedState): boolean {
  for (let word = 0; word < DIGEST_WORDS; word += 1) if (one[word] !== other[word]) return false;
  return true;
}

/** Whether both are of one reading; false where it is not known. */
export function isSameVersion(one: PackedState, other: PackedState): boolean {
  for (let word = AVAILABLE_AT; word < STATE_WORDS; word += 1) if (one[word] !== other[word]) return false;
  return true;
}

/** By the later (`data-availability-date`, `job-submitted-at`): docs/reference/headers.md. False where it is not sure. */
function isOlder(record: PackedState, last: PackedState, nowMs: number): boolean {
  const [available, lastAvailable] = [momentAt(record, AVAILABLE_AT), momentAt(last, AVAILABLE_AT)];
  const [submitted, lastSubmitted] = [momentAt(record, SUBMITTED_AT), momentAt(last, SUBMITTED_AT)];
  if (Math.max(lastAvailable, lastSubmitted) > nowMs) return false;
  if (available !== lastAvailable) return available !== 0 && available < lastAvailable;
  return submitted !== 0 && submitted < lastSubmitted;
}

/**
 * A digest as it lies on its topic: version 1, the tag of the topics that it holds for, and the state's words. Of another
 * version: written by another program, and as good as missing.
 */
const VERSION = 1;
export const TAG_BYTES = 16;
const STATE_FROM = 1 + TAG_BYTES;
const VALUE_BYTES = STATE_FROM + STATE_WORDS * 4;

export function encodeDigest(state: PackedState, tag: Buffer): Buffer {
  const value = Buffer.allocUnsafe(VALUE_BYTES);
  value[0] = VERSION;
  tag.copy(value, 1, 0, TAG_BYTES);
  for (let word = 0; word < STATE_WORDS; word += 1) value.writeInt32BE(state[word]!, STATE_FROM + word * 4);
  return value;
}

/**
 * Of what lies between `from` and `to`. False where that is no value, of another version, or of other topics than those of
 * `tag`: then it says nothing.
 */
export function decodeDigest(bytes: Buffer, from: number, to: number, tag: Buffer, target: PackedState): boolean {
  if (to - from !== VALUE_BYTES || bytes[from] !== VERSION) return false;
  const stateFrom = from + STATE_FROM;
  if (tag.compare(bytes, from + 1, stateFrom) !== 0) return false;
  for (let word = 0; word < STATE_WORDS; word += 1) target[word] = bytes.readInt32BE(stateFrom + word * 4);
  return true;
}
