import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shareOut, type ShareHolder } from './sticky-assigner.ts';

const PARTITIONS = Array.from({ length: 12 }, (_, partition) => `ledger-${partition}`);
const holder = (memberId: string, ...held: number[]): ShareHolder => ({
  memberId,
  held: held.map((partition) => `ledger-${partition}`),
});

/** Members as earlier rounds left them, some of which came back from a pause and hold what others hold by now. */
const MEMBERS = fc.uniqueArray(
  fc.record({
    memberId: fc.string({ minLength: 1, maxLength: 5 }),
    held: fc.uniqueArray(fc.constantFrom(...PARTITIONS, 'gone-1')),
  }),
  { minLength: 1, maxLength: 15, selector: ({ memberId }) => memberId },
);

test('law: each partition goes to one member, and no member has more than one more than another', () => {
  fc.assert(
    fc.property(MEMBERS, (members) => {
      const shares = shareOut(PARTITIONS, members);
      assert.deepEqual([...shares.values()].flat().sort(), PARTITIONS.toSorted());
      assert.deepEqual([...shares.keys()].sort(), members.map(({ memberId }) => memberId).sort());
      const sizes = [...shares.values()].map(({ length }) => length);
      assert(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

test('law: nobody loses what they may keep: whoever lost a partition that was theirs alone has a full share', () => {
  fc.assert(
    fc.property(MEMBERS, (members) => {
      const shares = shareOut(PARTITIONS, members);
      const least = Math.floor(PARTITIONS.length / members.length);
      for (const { memberId, held } of members) {
        const share = shares.get(memberId)!;
        const others = members.filter((other) => other.memberId !== memberId);
        const lost = held.filter(
          (name) => name !== 'gone-1' && !share.includes(name) && !others.some((other) => other.held.includes(name)),
        );
        if (lost.length > 0) assert(share.length >= least && share.every((name) => held.includes(name)));
      }
    }),
  );
});

test('law: the same whatever order the leader sees its members in', () => {
  fc.assert(
    fc.property(MEMBERS, (members) => {
      const one = Object.fromEntries(shareOut(PARTITIONS, members));
      assert.deepEqual(Object.fromEntries(shareOut(PARTITIONS, members.toReversed())), one);
    }),
  );
});

test('a third process takes four of twelve lanes, and nothing else moves; when one goes, its lanes alone do', () => {
  const [a, b] = [holder('a', 0, 1, 2, 3, 4, 5), holder('b', 6, 7, 8, 9, 10, 11)];
  const shares = shareOut(PARTITIONS, [a, b, holder('c')]);
  assert.deepEqual(shares.get('a'), a.held.slice(0, 4));
  assert.deepEqual(shares.get('b'), b.held.slice(0, 4));
  assert.equal(shares.get('c')!.length, 4);
  const after = shareOut(
    PARTITIONS,
    ['b', 'c'].map((memberId) => ({ memberId, held: shares.get(memberId)! })),
  );
  for (const memberId of ['b', 'c']) {
    assert(shares.get(memberId)!.every((name) => after.get(memberId)!.includes(name)));
  }
});
