import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRetentionGapCheck } from './retention-gap.ts';

const partition = { topic: 't', partition: 0 };

function check(committed: bigint | undefined, first: bigint, end: bigint, accept = false) {
  let questions = 0;
  const accepted: unknown[] = [];
  const gap = createRetentionGapCheck({
    admin: {
      offsets: async () => [{ partition: 0, first, end }],
      groupOffsets: async () => {
        questions += 1;
        return new Map(committed === undefined ? [] : [[0, committed]]);
      },
    },
    groupId: 'g',
    accept,
    onAccepted: (error) => accepted.push(error),
  });
  return { gap, accepted, questions: () => questions };
}

test('a committed offset inside the log, at its end, or none at all is sound', async () => {
  for (const committed of [undefined, 5n, 7n, 9n]) await check(committed, 5n, 9n).gap(partition, undefined);
});

test('a committed offset below the log is a loss, above it a topic that was made anew', async () => {
  await assert.rejects(check(3n, 5n, 9n).gap(partition, undefined), /2 offsets were deleted before they were read/);
  await assert.rejects(check(12n, 5n, 9n).gap(partition, undefined), /created anew/);
});

test('in the middle of a run: a jump over markers is normal, one over deleted records a loss', async () => {
  await check(0n, 5n, 9n).gap(partition, 6n);
  await check(0n, 5n, 9n).gap(partition, 11n);
  await assert.rejects(check(0n, 5n, 9n).gap(partition, 4n), { code: 'records-gone' });
});

test('an accepted loss is told and passed; partitions of one topic share a question', async () => {
  const { gap, accepted, questions } = check(3n, 5n, 9n, true);
  await Promise.all([gap(partition, undefined), gap(partition, undefined)]);
  assert.equal(accepted.length, 2);
  assert.equal(questions(), 1);
});
