import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch } from '@genesys-kafka/kafka';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { partitionFor } from '@genesys-kafka/topics';
import { ENCODE_OPTIONS, INLINE_STAGER, staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { StagingThread } from './staging-thread.ts';

const MAX_RECORD_BYTES = 3_500_000;

function newThread(compression: 'none' | 'zstd' = 'none'): StagingThread {
  return new StagingThread({}, Promise.resolve({ ...ENCODE_OPTIONS, compression }));
}

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: MAX_RECORD_BYTES, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

const long = (bytes: number) => conversations('long', 1)[0]!.replace('{', `{"note":"${'ä'.repeat(bytes / 2)}",`);

test('the thread stages as one would on the spot: valid, invalid, larger than a segment, too long to be kept', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  await using thread = newThread();
  const kinds = ['{"conversationId":"1"}', '{"a":1,"a":2}', long(3_300_000), long(4_000_000)];
  const records = scan([...conversations('a', 50), ...kinds, ...conversations('b', 3)]);
  const [there, here] = [await staged([records], 0, thread), await staged([records])];
  assert.deepEqual(
    there.map(({ facts, batches }) => [
      facts,
      batches.map(({ topic, partition, batch: { count } }) => [topic, partition, count]),
    ]),
    here.map(({ facts, batches }) => [
      facts,
      batches.map(({ topic, partition, batch: { count } }) => [topic, partition, count]),
    ]),
  );
  assert.equal(records[53]!.bytes, undefined);
});

test('calls under way at once are answered each with its own, in their order; what is skipped is digested only', async () => {
  await using thread = newThread();
  const records = scan(conversations('a', 60));
  const parts = Array.from({ length: 20 }, (_, index) => records.slice(index * 3, index * 3 + 3));
  const answers = await Promise.all(parts.map((part) => staged([part], 30, thread)));
  const expected = await staged(parts, 30, INLINE_STAGER);
  assert.deepEqual(
    answers.flat().map(({ firstOrdinal, facts, batches }) => ({ firstOrdinal, facts, batches })),
    expected,
  );
  assert.deepEqual(answers[0]![0]!.batches, []);
});

test('batches are compressed, each with the records of its partition', async () => {
  await using thread = newThread('zstd');
  const [step] = await staged([scan(conversations('a', 400))], 0, thread);
  const records: string[] = [];
  for (const { topic, partition, batch } of step!.batches) {
    assert.equal(topic, 'data');
    assert(batch.bytes.length < batch.rawBytes / 2);
    for (const { key } of await decodeBatch(batch)) {
      assert.equal(partitionFor(key!, 3), partition);
      records.push(String(key));
    }
  }
  assert.equal(new Set(records).size, 400);
});

test('when the thread is gone, calls say so instead of waiting', async () => {
  const thread = newThread();
  const records = scan(conversations('a', 3));
  const waiting = assert.rejects(staged([records], 0, thread), /has ended/);
  await thread[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(staged([records], 0, thread), /has ended/);
});
