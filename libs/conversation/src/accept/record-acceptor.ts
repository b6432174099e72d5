import { isUtf8 } from 'node:buffer';
import {
  dateTimeEnd,
  fractionEnd,
  hasCodePoints,
  hashOf,
  integerEnd,
  loadText,
  MAX_TEXT_BYTES,
  plainEnd,
  skipSpace,
  stringEnd,
  TEXT,
  wordAt,
} from './json-text.ts';
import { NameSet } from './name-set.ts';
import { ARRAY, BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, readSchema, STRING } from './schema-node.ts';
import { buildTables } from './tables.ts';

export interface RecordAcceptor {
  /** The conversationId of a record that is valid and has this many members; undefined where that is not certain. */
  accept(bytes: Uint8Array, members: number): string | undefined;
}

const MAX_DEPTH = 256;
const KEY = 'conversationId';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const TRUE = Buffer.from('true').readInt32LE();
const FALSE_TAIL = Buffer.from('alse').readInt32LE();
const NULL_TEXT = Buffer.from('null').readInt32LE();

/**
 * Tells of most valid records that they are valid, in one pass over the bytes, without a value or an object of any kind.
 * It knows the grammar of JSON, looks for repeated names, and holds what it sees against the tables of the schema. It
 * never says that a record is invalid: of whatever it does not understand it says nothing.
 *
 * One long function with its state in variables: of a class, V8 makes code that takes a third more time.
 */
export function createRecordAcceptor(schema: object): RecordAcceptor {
  const root = readSchema(schema);
  if (!root.members.has(KEY)) root.members.set(KEY, root.additional);
  const keyMember = [...root.members.keys()].indexOf(KEY);
  const tables = buildTables(root);
  const { types, minLength, isDateTime, items, additional, firstMember, firstRequired, required } = tables;
  const { firstSlot, slots, memberNode, firstWord, words, lastMask, nameBytes } = tables;
  const memberCount = memberNode.length;
  /** Which member followed a member last time; or which was a node's first, at `memberCount` and the node. */
  const guess = new Int32Array(memberCount + types.length).fill(-1);
  const unknownNames = new NameSet();

  // What is open, by depth from 1: the bracket that closes it, the node of the object or of the array's items.
  const closing = new Uint8Array(MAX_DEPTH + 1);
  const nodeOf = new Int32Array(MAX_DEPTH + 1);
  // Of an object only: where the guess at its next member is, its number in the record, its bits of `seen`.
  const guessAt = new Int32Array(MAX_DEPTH + 1);
  const serialOf = new Int32Array(MAX_DEPTH + 1);
  const firstSeen = new Int32Array(MAX_DEPTH + 2);
  const seen = new Int32Array(MAX_DEPTH * Math.ceil(memberCount / 32));
  let depth = 0;
  let serial = 0;
  let memberTotal = 0;
  let keyAt = -1;
  /** The node of the value that comes next. */
  let next = 0;

  return { accept };

  function accept(bytes: Uint8Array, members: number): string | undefined {
    if (bytes.length > MAX_TEXT_BYTES || !isUtf8(bytes)) return undefined;
    loadText(bytes);
    unknownNames.clear();
    depth = 0;
    serial = 0;
    memberTotal = 0;
    keyAt = -1;
    next = 0;
    const end = valueEnd(skipSpace(0));
    if (end < 0 || skipSpace(end) !== bytes.length || memberTotal !== members) return undefined;
    return key();
  }

  /** Only what is an object has one. */
  function key(): string | undefined {
    if (TEXT[keyAt] !== QUOTE) return undefined;
    const from = keyAt + 1;
    const to = plainEnd(from);
    return TEXT[to] === QUOTE && to > from ? TEXT.toString('utf8', from, to) : undefined;
  }

  /** A value with all that is inside it; a loop, so that what is open lies in the arrays and not on the stack. */
  function valueEnd(start: number): number {
    let at = start;
    for (;;) {
      const first = TEXT[at]!;
      if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        if (!open(first)) return -1;
        at = skipSpace(at + 1);
        if (TEXT[at] !== closing[depth]) {
          if (first === OPEN_BRACE && (at = memberEnd(at)) < 0) return -1;
          continue;
        }
      } else if ((at = scalarEnd(at, first)) < 0) {
        return -1;
      }
      // Behind a value, or at the bracket that closes an empty object or array.
      for (;;) {
        if (depth === 0) return at;
        at = skipSpace(at);
        if (TEXT[at] === COMMA) {
          at = skipSpace(at + 1);
          if (closing[depth] !== CLOSE_BRACE) next = nodeOf[depth]!;
          else if ((at = memberEnd(at)) < 0) return -1;
          break;
        }
        if (TEXT[at] !== closing[depth] || !close()) return -1;
        at += 1;
      }
    }
  }

  function open(bracket: number): boolean {
    if (depth === MAX_DEPTH) return false;
    depth += 1;
    // '}' is two behind '{', and ']' behind '['.
    closing[depth] = bracket + 2;
    const bits = firstSeen[depth]!;
    if (bracket === OPEN_BRACKET) {
      if ((types[next]! & ARRAY) === 0) return false;
      next = items[next]!;
      nodeOf[depth] = next;
      firstSeen[depth + 1] = bits;
      return true;
    }
    if ((types[next]! & OBJECT) === 0) return false;
    serial += 1;
    nodeOf[depth] = next;
    guessAt[depth] = memberCount + next;
    serialOf[depth] = serial;
    const end = bits + firstRequired[next + 1]! - firstRequired[next]!;
    for (let word = bits; word < end; word += 1) seen[word] = 0;
    firstSeen[depth + 1] = end;
    return true;
  }

  /** False where an object has not all that it must have. */
  function close(): boolean {
    if (closing[depth] === CLOSE_BRACE) {
      const node = nodeOf[depth]!;
      const end = firstRequired[node + 1]!;
      let bits = firstSeen[depth]!;
      for (let word = firstRequired[node]!; word < end; word += 1) {
        if ((required[word]! & ~seen[bits]!) !== 0) return false;
        bits += 1;
      }
    }
    depth -= 1;
    return true;
  }

  /** A member's name and colon, and the space around it; the member's node is what comes next. */
  function memberEnd(start: number): number {
    if (TEXT[start] !== QUOTE) return -1;
    const node = nodeOf[depth]!;
    const from = start + 1;
    let member = guess[guessAt[depth]!]!;
    let at: number;
    if (member >= 0 && isNamed(member, from)) {
      at = from + nameBytes[member]!;
    } else {
      at = plainEnd(from);
      if (TEXT[at] !== QUOTE) return -1;
      const hash = hashOf(from, at);
      member = find(node, hash, from);
      if (member < 0 && !unknownNames.add(serialOf[depth]!, hash)) return -1;
    }
    memberTotal += 1;
    at = skipSpace(at + 1);
    if (TEXT[at] !== COLON) return -1;
    at = skipSpace(at + 1);
    if (member < 0) {
      next = additional[node]!;
      return at;
    }
    guess[guessAt[depth]!] = member;
    guessAt[depth] = member;
    const index = member - firstMember[node]!;
    const word = firstSeen[depth]! + (index >> 5);
    const bit = 1 << (index & 31);
    if ((seen[word]! & bit) !== 0) return -1;
    seen[word]! |= bit;
    if (member === keyMember && depth === 1) keyAt = at;
    next = memberNode[member]!;
    return at;
  }

  function isNamed(member: number, from: number): boolean {
    const last = firstWord[member + 1]! - 1;
    let at = from;
    for (let word = firstWord[member]!; word < last; word += 1) {
      if (wordAt(at) !== words[word]) return false;
      at += 4;
    }
    return (wordAt(at) & lastMask[member]!) === words[last];
  }

  function find(node: number, hash: number, from: number): number {
    const first = firstSlot[node]!;
    const mask = firstSlot[node + 1]! - first - 1;
    let slot = hash & mask;
    for (let entry = slots[first + slot]!; entry !== 0; entry = slots[first + slot]!) {
      if (isNamed(entry - 1, from)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** A string, a number or a literal. */
  function scalarEnd(at: number, first: number): number {
    const allowed = types[next]!;
    if (first === QUOTE) return (allowed & STRING) === 0 ? -1 : stringValueEnd(at + 1);
    if (first === 0x74) return (allowed & BOOLEAN) !== 0 && wordAt(at) === TRUE ? at + 4 : -1;
    if (first === 0x66) return (allowed & BOOLEAN) !== 0 && wordAt(at + 1) === FALSE_TAIL ? at + 5 : -1;
    if (first === 0x6e) return (allowed & NULL) !== 0 && wordAt(at) === NULL_TEXT ? at + 4 : -1;
    const whole = integerEnd(at);
    if (whole < 0) return -1;
    const end = fractionEnd(whole);
    return (allowed & (end === whole ? INTEGER : NUMBER)) === 0 ? -1 : end;
  }

  function stringValueEnd(from: number): number {
    const end = isDateTime[next] === 0 ? stringEnd(from) : dateTimeEnd(from);
    const wanted = minLength[next]!;
    return wanted > 0 && end > 0 && !hasCodePoints(from, end - 1, wanted) ? -1 : end;
  }
}
