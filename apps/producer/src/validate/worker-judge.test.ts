import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { judged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { WorkerJudge } from './worker-judge.ts';

const MAX_RECORD_BYTES = 3_000_000;

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: MAX_RECORD_BYTES, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

const long = (bytes: number) => conversations('long', 1)[0]!.replace('{', `{"note":"${'ä'.repeat(bytes / 2)}",`);

test('the thread judges as one would on the spot: valid, invalid, larger than a slab, too long to be kept', async () => {
  await using judge = new WorkerJudge();
  const kinds = ['null', '{"conversationId":1}', '{"a":1,"a":2}', '{"a":tru}', long(2_000_000), long(4_000_000)];
  const records = scan([...conversations('a', 50), ...kinds, ...conversations('b', 3)]);
  assert.deepEqual(await judge.judge(records, 0), judged(records));
  assert.equal(records[55]!.bytes, undefined);
});

test('calls under way at once are answered each with its own, in their order; skipped records are digested only', async () => {
  await using judge = new WorkerJudge();
  const records = scan(conversations('a', 60));
  const parts = Array.from({ length: 20 }, (_, index) => records.slice(index * 3, index * 3 + 3));
  const answers = await Promise.all(parts.map((part) => judge.judge(part, 30)));
  assert.deepEqual(answers.flat(), judged(records, 30));
  assert.equal(answers[0]![0]!.verdict, undefined);
});

test('when the thread is gone, calls say so instead of waiting', async () => {
  const judge = new WorkerJudge();
  const records = scan(conversations('a', 3));
  const waiting = assert.rejects(judge.judge(records, 0), /has ended/);
  await judge[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(judge.judge(records, 0), /has ended/);
});
