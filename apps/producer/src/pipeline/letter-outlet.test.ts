import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { LetterRecord } from '@genesys-kafka/dead-letters';
import { decodeBatch } from '@genesys-kafka/kafka';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { parseDeadLetter } from '@genesys-kafka/topics';
import { MemoryLane, newSource, sourceOptions, staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { LetterOutlet } from './letter-outlet.ts';
import { SourcePublisher } from './source-publisher.ts';

const never = new AbortController().signal;
const topic = { topic: 'dead', partitions: 3, maxMessageBytes: 200_000 };

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: 1_000_000, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

/** Keeps what it is given once it is let. */
function keeperOf() {
  const kept: LetterRecord[] = [];
  const gate = Promise.withResolvers<undefined>();
  const append = async (letter: LetterRecord, signal: AbortSignal) => {
    await Promise.race([gate.promise, new Promise((_, reject) => signal.addEventListener('abort', reject))]);
    kept.push(letter);
  };
  return { kept, open: () => gate.resolve(undefined), fail: (error: Error) => gate.reject(error), keeper: { append } };
}

test('a step is not taken before object storage has its dead letters, nor where it refuses them', async () => {
  const [step] = await staged([scan([...conversations('a', 2), '7'])]);
  for (const fails of [false, true]) {
    const lane = new MemoryLane();
    const { kept, open, fail, keeper } = keeperOf();
    const outlet = new LetterOutlet({ staged: 'dead', topic, keeper });
    const source = new SourcePublisher(lane.publisher, newSource(), sourceOptions({ outlet }));
    const published = source.publish(step!);
    await new Promise((resolve) => setImmediate(resolve));
    await lane.publisher.flush();
    assert.deepEqual([lane.ordinals.data, lane.entry], [[], undefined]);
    if (fails) fail(new Error('refused'));
    else open();
    if (fails) await assert.rejects(published, /refused/);
    else await published;
    await lane.publisher.flush();
    assert.deepEqual(lane.ordinals, fails ? { data: [], dead: [] } : { data: [0, 1], dead: [2] });
    assert.equal(kept.length, fails ? 0 : 1);
  }
});

test('with the storage alone the topic gets nothing; records that are valid go as they are', async () => {
  const [step] = await staged([scan([...conversations('a', 2), '7'])]);
  const { kept, open, keeper } = keeperOf();
  open();
  const outlet = new LetterOutlet({ staged: 'dead', topic: undefined, keeper });
  const left = await outlet.take(step!.batches, never);
  assert.deepEqual([...new Set(left.map((batch) => batch.topic))], ['data']);
  assert.deepEqual([kept.length, kept[0]!.value?.toString()], [1, '7']);
});

test('a record that the topic does not take: a pointer there, and the whole in the storage', async () => {
  const long = JSON.stringify(randomBytes(300_000).toString('hex'));
  const [step] = await staged([scan([long, '7'])]);
  const { kept, open, keeper } = keeperOf();
  open();
  const batches = step!.batches.map((batch) => ({ ...batch }));
  const outlet = new LetterOutlet({ staged: 'dead', topic: { ...topic, maxMessageBytes: 100_000 }, keeper });
  const left = await outlet.take(batches, never);
  const sent = (await Promise.all(left.map(async ({ batch }) => decodeBatch(batch)))).flat();
  assert.deepEqual(kept.map(({ value }) => value?.length).sort(), [1, long.length]);
  assert.deepEqual(
    sent.map(({ value }) => (value === null ? null : String(value as Buffer))).sort(),
    ['7', null].sort(),
  );
  const pointer = sent.find(({ value }) => value === null)!;
  assert.equal(parseDeadLetter(pointer.headers as Record<string, string>).omittedBytes, long.length);
});
