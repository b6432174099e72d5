import { hashOf, loadText, wordAt } from './json-text.ts';
import type { SchemaNode } from './schema-node.ts';

/** The nodes of a schema as flat arrays of numbers. The record is node 0; members are numbered through all nodes. */
export interface Tables {
  // Of each node.
  readonly types: Int32Array;
  readonly minLength: Int32Array;
  readonly isDateTime: Int32Array;
  readonly items: Int32Array;
  readonly additional: Int32Array;
  /** A node's members are one behind the other. */
  readonly firstMember: Int32Array;
  /** In words of 32 bits, one bit a member; this list, and those of places below, have one entry more than they need. */
  readonly firstRequired: Int32Array;
  readonly required: Int32Array;
  /** A power of two: in its slots a member (its number and 1) is found by the hash of its name. */
  readonly firstSlot: Int32Array;
  readonly slots: Int32Array;

  // Of each member.
  readonly memberNode: Int32Array;
  /** Its name and the closing quote in words; of the last one only what `lastMask` leaves. */
  readonly firstWord: Int32Array;
  readonly words: Int32Array;
  readonly lastMask: Int32Array;
  readonly nameBytes: Int32Array;
}

interface Member {
  readonly name: string;
  readonly node: number;
}

export function buildTables(root: SchemaNode): Tables {
  const nodes = [...reachable(root)];
  const numberOf = new Map(nodes.map((node, index) => [node, index]));
  const ofNodes = (value: (node: SchemaNode) => number) => Int32Array.from(nodes, value);
  const members = nodes.flatMap((node): Member[] =>
    [...node.members].map(([name, member]) => ({ name, node: numberOf.get(member)! })),
  );
  const names = members.map(({ name }) => nameWords(name));
  const slotCounts = nodes.map(({ members: { size } }) => 2 ** Math.ceil(Math.log2(2 * size + 1)));
  const firstMember = starts(nodes.map((node) => node.members.size));
  const required = nodes.map(requiredBits);
  return {
    types: ofNodes(({ types }) => types),
    // No record is that long.
    minLength: ofNodes(({ minLength }) => Math.min(minLength, 0x7fffffff)),
    isDateTime: ofNodes(({ isDateTime }) => Number(isDateTime)),
    items: ofNodes(({ items }) => numberOf.get(items)!),
    additional: ofNodes(({ additional }) => numberOf.get(additional)!),
    firstMember,
    firstRequired: starts(required.map(({ length }) => length)),
    required: Int32Array.from(required.flat()),
    firstSlot: starts(slotCounts),
    slots: Int32Array.from(
      slotCounts.flatMap((count, node) => slotsOf(count, names, firstMember[node]!, firstMember[node + 1]!)),
    ),
    memberNode: Int32Array.from(members, ({ node }) => node),
    firstWord: starts(names.map(({ words }) => words.length)),
    words: Int32Array.from(names.flatMap(({ words }) => words)),
    lastMask: Int32Array.from(names, ({ lastMask }) => lastMask),
    nameBytes: Int32Array.from(names, ({ bytes }) => bytes),
  };
}

function reachable(root: SchemaNode): ReadonlySet<SchemaNode> {
  const nodes = new Set([root]);
  // What is added meanwhile is visited too.
  for (const { items, additional, members } of nodes) {
    for (const next of [items, additional, ...members.values()]) nodes.add(next);
  }
  return nodes;
}

interface NameWords {
  readonly words: readonly number[];
  readonly lastMask: number;
  readonly bytes: number;
  readonly hash: number;
}

function nameWords(name: string): NameWords {
  const quoted = Buffer.from(`${name}"`);
  loadText(quoted);
  const count = Math.ceil(quoted.length / 4);
  return {
    words: Array.from({ length: count }, (_, index) => wordAt(4 * index)),
    lastMask: -1 >>> (8 * (4 * count - quoted.length)),
    bytes: quoted.length - 1,
    hash: hashOf(0, quoted.length - 1),
  };
}

function requiredBits({ members, required }: SchemaNode): number[] {
  const bits = new Array<number>(Math.ceil(members.size / 32)).fill(0);
  [...members.keys()].forEach((name, index) => {
    if (required.includes(name)) bits[index >> 5]! |= 1 << (index & 31);
  });
  return bits;
}

function slotsOf(count: number, names: readonly NameWords[], from: number, to: number): number[] {
  const slots = new Array<number>(count).fill(0);
  for (let member = from; member < to; member += 1) {
    let slot = names[member]!.hash & (count - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (count - 1);
    slots[slot] = member + 1;
  }
  return slots;
}

/** Where each of several lists begins when they are one behind the other, and where the last one ends. */
function starts(lengths: readonly number[]): Int32Array {
  const all = [0];
  for (const length of lengths) all.push(all.at(-1)! + length);
  return Int32Array.from(all);
}
