import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LetterRecord } from '@genesys-kafka/dead-letters';
import { KafkaError, type ConsumedRecord, type OutgoingRecord, type TopicPartition } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { DEAD_LETTER_HEADER, frame, parseDeadLetter } from '@genesys-kafka/topics';
import { Forwarder, type ForwarderOptions } from './forwarder.ts';
import { TopicWriter } from './topic-writer.ts';

const never = new AbortController().signal;
const origin = { topic: 'd', partition: 2, offset: 41n };
const why = { stage: 'deliver', cause: 'http-422', reason: 'no', httpStatus: 422, attempts: 1 } as const;
const record = (valueBytes: number, more: Partial<ConsumedRecord> = {}): ConsumedRecord => ({
  ...origin,
  timestampMs: 0,
  key: Buffer.from('c1'),
  value: frame(9, Buffer.alloc(valueBytes, 0x20)),
  headers: { 'source-id': Buffer.from('job-1'), ordinal: Buffer.from('7'), 'of-others': Buffer.alloc(5000) },
  ...more,
});

/** Topics that take records up to so many bytes of value, and refuse larger ones for good. */
function forwarder(limits: Readonly<Record<string, number>>, more: Partial<ForwarderOptions> = {}) {
  const sent: (OutgoingRecord & TopicPartition)[] = [];
  const told: string[] = [];
  const writer = new TopicWriter({
    producer: {
      async send({ topic, partition }, records) {
        if (records.some(({ value }) => (value?.length ?? 0) > limits[topic]!))
          throw new KafkaError('message-too-large', `too large for ${topic}.`);
        sent.push(...records.map((one) => ({ ...one, topic, partition })));
      },
      close: async () => undefined,
    },
    onFailure: () => assert.fail('nothing is waited for'),
  });
  const forward = new Forwarder({
    route: 'crm',
    groupId: 'g.crm',
    retries: [{ topic: 'd.retry-1', partitions: 6 }],
    deadLetters: { topic: 'd.dlt', partitions: 6 },
    writer,
    clock: new ManualClock(),
    onRetry: (tier) => told.push(`retry ${tier}`),
    onDeadLetter: (cause) => told.push(cause),
    onRefused: (topic, { code }) => told.push(`${topic} ${code}`),
    ...more,
  });
  const letter = (index: number) => {
    const headers = Object.entries(sent[index]!.headers!).filter(([, value]) => value !== undefined);
    return parseDeadLetter(Object.fromEntries(headers));
  };
  return { forward, sent, told, letter };
}

test('a dead letter that its topic refuses for good becomes a pointer: origin, cause and size, without the value', async () => {
  const { forward, sent, told, letter } = forwarder({ 'd.dlt': 100 });
  await forward.deadLetter(record(200), origin, why, never);
  await forward.deadLetter(record(10, { key: Buffer.alloc(4000, 0x61) }), origin, why, never);
  const [pointer, whole] = sent;
  assert.equal(pointer!.value, null);
  assert.deepEqual(
    Object.keys(pointer!.headers!).filter((name) => name === 'of-others' || name === 'source-id'),
    ['source-id'],
  );
  const { cause, httpStatus, origin: place, omittedBytes, framing } = letter(0);
  assert.deepEqual(
    { cause, httpStatus, place, omittedBytes, framing },
    { cause: 'http-422', httpStatus: 422, place: origin, omittedBytes: 205, framing: 'none' },
  );
  assert.equal(whole!.value?.length, 15);
  assert.equal(letter(1).omittedBytes, undefined);
  assert.deepEqual(told, ['d.dlt message-too-large', 'http-422', 'http-422']);
});

test('a pointer is small whatever the record brings along: neither a long key nor a long header of ours is in it', async () => {
  const { forward, sent, letter } = forwarder({ 'd.dlt': 100 });
  const headers = { 'source-id': Buffer.alloc(4000, 0x61), ordinal: Buffer.from('7') };
  await forward.deadLetter(record(200, { key: Buffer.alloc(4000, 0x61), headers }), origin, why, never);
  const [pointer] = sent;
  assert.deepEqual([pointer!.key, pointer!.value], [null, null]);
  assert.deepEqual([pointer!.headers!['source-id'], String(pointer!.headers!.ordinal)], [undefined, '7']);
  assert.deepEqual(letter(0).origin, origin);
});

test('a dead letter that is whole is no pointer, whatever headers it came with', async () => {
  const { forward, letter } = forwarder({ 'd.dlt': 1000 });
  const headers = { [DEAD_LETTER_HEADER.omittedBytes]: Buffer.from('9') };
  await forward.deadLetter(record(10, { headers }), origin, why, never);
  assert.equal(letter(0).omittedBytes, undefined);
});

test('a retry that its topic refuses for good becomes a dead letter of its own cause, with the value where that fits', async () => {
  const { forward, sent, told, letter } = forwarder({ 'd.retry-1': 100, 'd.dlt': 1000 });
  const failure = { cause: 'http-503', reason: 'the target answered 503', httpStatus: 503 };
  const state = { attempt: 1, notBeforeMs: 0, origin, recordVersion: 41n, picked: false };
  await forward.retry(record(200), state, { kind: 'retry', tier: 0, notBeforeMs: 0, attempt: 2, failure }, never);
  assert.equal(sent[0]!.value?.length, 205);
  const { cause, reason, attempts, httpStatus } = letter(0);
  assert.deepEqual({ cause, attempts, httpStatus }, { cause: 'retry-refused', attempts: 1, httpStatus: 503 });
  assert.match(reason, /503.*message-too-large/);
  assert.deepEqual(told, ['d.retry-1 message-too-large', 'retry-refused']);
});

test('a record without a key goes to a partition that the topic has, however many the main topic has', async () => {
  const { forward, sent } = forwarder({ 'd.dlt': 1000 }, { deadLetters: { topic: 'd.dlt', partitions: 2 } });
  for (const partition of [0, 1, 5]) await forward.deadLetter(record(10, { key: null, partition }), origin, why, never);
  assert.deepEqual(
    sent.map((one) => one.partition),
    [0, 1, 1],
  );
});

test('where not even a pointer is taken, the move ends with the error of its topic', async () => {
  const { forward } = forwarder({ 'd.dlt': -1 });
  await assert.rejects(forward.deadLetter(record(10), origin, why, never), { code: 'message-too-large' });
});

test('what fails for another reason than the record ends the move: nothing is made a pointer or another dead letter of', async () => {
  let writes = 0;
  const append = async () => {
    writes += 1;
    return Promise.reject(new KafkaError('authorization-failed', 'no right'));
  };
  const { forward, told } = forwarder({}, { writer: { append } });
  const failure = { cause: 'http-503', reason: 'busy' };
  const state = { attempt: 1, notBeforeMs: 0, origin, recordVersion: 41n, picked: false };
  const step = { kind: 'retry', tier: 0, notBeforeMs: 0, attempt: 2, failure } as const;
  await assert.rejects(forward.deadLetter(record(10), origin, why, never), { code: 'authorization-failed' });
  await assert.rejects(forward.retry(record(10), state, step, never), { code: 'authorization-failed' });
  assert.deepEqual([writes, told], [2, []]);
});

test('object storage has the whole of what its topic refuses, and a move is done when both have it', async () => {
  const kept: LetterRecord[] = [];
  const gate = Promise.withResolvers<undefined>();
  const append = async (letter: LetterRecord) => {
    await gate.promise;
    kept.push(letter);
  };
  const { forward, sent, told } = forwarder({ 'd.dlt': 100 }, { keeper: { append } });
  const moved = forward.deadLetter(record(200), origin, why, never);
  while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(
    [sent[0]!.value, told],
    [null, ['d.dlt message-too-large']],
    'the topic has it, the storage has not',
  );
  gate.resolve(undefined);
  await moved;
  assert.deepEqual([kept[0]!.value?.length, told.at(-1)], [205, 'http-422']);
  assert.equal(parseDeadLetter(kept[0]!.headers).omittedBytes, undefined);
});

test('with the storage alone nothing goes to a topic, and what it refuses ends the move', async () => {
  const append = async () => Promise.reject(new Error('refused'));
  const { forward, sent, told } = forwarder({}, { deadLetters: undefined, keeper: { append } });
  await assert.rejects(forward.deadLetter(record(10), origin, why, never), /refused/);
  assert.deepEqual([sent, told], [[], []]);
});
