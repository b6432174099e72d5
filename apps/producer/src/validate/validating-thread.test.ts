import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversationSchemaText } from '@genesys-kafka/conversation';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { validated } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { ValidatingThread } from './validating-thread.ts';

const OPTIONS = { schema: conversationSchemaText };
const MAX_RECORD_BYTES = 3_000_000;

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: MAX_RECORD_BYTES, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

const long = (bytes: number) => conversations('long', 1)[0]!.replace('{', `{"note":"${'ä'.repeat(bytes / 2)}",`);

test('the thread validates as one would on the spot: valid, invalid, larger than a pooled buffer, too long to be kept', async () => {
  await using thread = new ValidatingThread(OPTIONS);
  const kinds = ['null', '{"conversationId":1}', '{"a":1,"a":2}', '{"a":tru}', long(2_000_000), long(4_000_000)];
  const records = scan([...conversations('a', 50), ...kinds, ...conversations('b', 3)]);
  assert.deepEqual(await thread.validate(records, 0), validated(records));
  assert.equal(records[55]!.bytes, undefined);
});

test('calls under way at once are answered each with its own, in their order; skipped records are digested only', async () => {
  await using thread = new ValidatingThread(OPTIONS);
  const records = scan(conversations('a', 60));
  const parts = Array.from({ length: 20 }, (_, index) => records.slice(index * 3, index * 3 + 3));
  const answers = await Promise.all(parts.map((part) => thread.validate(part, 30)));
  assert.deepEqual(answers.flat(), validated(records, 30));
  assert.equal(answers[0]![0]!.outcome, undefined);
});

test('when the thread is gone, calls say so instead of waiting', async () => {
  const thread = new ValidatingThread(OPTIONS);
  const records = scan(conversations('a', 3));
  const waiting = assert.rejects(thread.validate(records, 0), /has ended/);
  await thread[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(thread.validate(records, 0), /has ended/);
});
