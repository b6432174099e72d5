import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordScanner } from '@genesys-kafka/record-parser';
import { INLINE_STAGER, staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import type { Stager } from './staged-step.ts';
import { StagingThreads } from './staging-threads.ts';

test('segments are shared out evenly, whichever thread is slow, and all threads end', async () => {
  const made = [0, 0, 0];
  const ended: number[] = [];
  const most = [0, 0, 0];
  const turns = [1, 50, 3];
  const stagers = made.map((_, index): Stager => {
    let inHand = 0;
    return {
      ahead: 0,
      stage: async (segment, facts) => {
        inHand += 1;
        most[index] = Math.max(most[index]!, inHand);
        for (let turn = 0; turn < turns[index]!; turn += 1) await Promise.resolve();
        inHand -= 1;
        made[index]! += 1;
        return INLINE_STAGER.stage(segment, facts);
      },
      [Symbol.asyncDispose]: async () => void ended.push(index),
    };
  });
  const records = new RecordScanner({ maxRecordBytes: 1000, maxDepth: 9 }).push(arrayOf(conversations('a', 30)));
  {
    await using threads = new StagingThreads(stagers);
    assert.equal(threads.ahead, 4);
    const steps = await Promise.all(records.map(async (record) => (await staged([[record]], 0, threads))[0]!));
    assert.deepEqual(
      steps.map(({ firstOrdinal }) => firstOrdinal),
      records.map(({ ordinal }) => ordinal),
    );
  }
  assert.equal(made[0]! + made[1]! + made[2]!, 30);
  assert(Math.max(...most) <= 10 && Math.min(...made) > 0, `${made.join()} made, ${most.join()} at once`);
  assert.deepEqual(ended, [0, 1, 2]);
});
