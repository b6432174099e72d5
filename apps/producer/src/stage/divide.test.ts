import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch } from '@genesys-kafka/kafka';
import { RecordScanner } from '@genesys-kafka/record-parser';
import { ENCODE_OPTIONS, staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { divided } from './divide.ts';
import { RecordFacts, type StagedStep } from './staged-step.ts';

async function oneStep(): Promise<StagedStep> {
  const scanner = new RecordScanner({ maxRecordBytes: 100_000, maxDepth: 20 });
  const texts = [...conversations('a', 900), 'null', ...conversations('b', 900)];
  const [step] = await staged([
    scanner.push(arrayOf(texts.map((text) => text.replace('{', `{"note":"${'x'.repeat(300)}",`)))),
  ]);
  return step!;
}

/** Topic, partition, ordinal and bytes of each record, in the order in which they would lie in the log. */
async function recordsOf(steps: readonly StagedStep[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { topic, partition, batch } of steps.flatMap(({ batches }) => batches)) {
    for (const { key, value, headers } of await decodeBatch(batch)) {
      lines.push([topic, partition, headers?.ordinal, key, value].map(String).join(' '));
    }
  }
  return lines;
}

const byPartition = (lines: readonly string[]) =>
  lines.toSorted((a, b) => (a.slice(0, 6) < b.slice(0, 6) ? -1 : a.slice(0, 6) > b.slice(0, 6) ? 1 : 0));

test('from any record on, in parts of any size: the same records in the same order, facts with them, and no batch larger than before', async () => {
  const step = await oneStep();
  const most = Math.max(...step.batches.map(({ batch }) => batch.rawBytes));
  assert(most <= ENCODE_OPTIONS.batchBytes && step.batches.length > 4, 'several batches a partition');
  const all = await recordsOf([step]);
  for (const [from, maxBytes] of [
    [0, 1e9],
    [1, 1e9],
    [700, 50_000],
    [1800, 1],
  ] as const) {
    const parts: StagedStep[] = [];
    for await (const part of divided(step, from, maxBytes)) parts.push(part);
    assert(parts.every(({ batches }) => batches.every(({ batch }) => batch.rawBytes <= most)));
    assert.deepEqual(
      byPartition(await recordsOf(parts)),
      byPartition(all.filter((line) => Number(line.split(' ')[2]) >= from)),
    );
    assert.deepEqual(Buffer.concat(parts.map(({ facts }) => facts.bytes)), step.facts.slice(from).bytes);
    let next = from;
    for (const { firstOrdinal, facts } of parts) {
      assert.equal(firstOrdinal, next);
      next += facts.count;
    }
    if (maxBytes === 1) assert.equal(parts.length, 1);
    if (maxBytes === 50_000) assert(parts.length > 10, `${parts.length} parts`);
  }
});

test('what is known of a record holds its length, whatever that is', () => {
  const facts = RecordFacts.of(2);
  const digest = Buffer.alloc(32, 7);
  facts.set(0, digest, 5 * 2 ** 32 + 1, false);
  facts.set(1, digest, 10, true);
  assert.deepEqual(
    [facts.length(0), facts.isValid(0), facts.length(1), facts.isValid(1)],
    [5 * 2 ** 32 + 1, false, 10, true],
  );
  assert.deepEqual(facts.sums(), { read: 2, invalid: 1, bytes: 5 * 2 ** 32 + 11 });
  assert.deepEqual(facts.digest(1), digest);
});
