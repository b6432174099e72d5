import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFetchResponse, type FetchedPartition } from './fetch-response.ts';

const int16 = (value: number) => Buffer.from(Uint8Array.of((value >> 8) & 0xff, value & 0xff));
const int32 = (value: number) => Buffer.from(Int32Array.of(value).buffer).swap32();
const int64 = (value: bigint) => Buffer.from(BigInt64Array.of(value).buffer).swap64();

/** As the protocol guide describes version 11: a topic entry for each partition, as brokers answer to shuffled ones. */
function encode(partitions: readonly FetchedPartition[], error = 0): Buffer {
  const [throttle, session] = [int32(250), int32(0)];
  const topics = partitions.map((partition) => {
    const { topic, errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, batches } =
      partition;
    return Buffer.concat([
      ...[int16(Buffer.byteLength(topic)), Buffer.from(topic), int32(1), int32(partition.partition)],
      ...[int16(errorCode), int64(highWatermark), int64(lastStableOffset), int64(logStartOffset)],
      int32(abortedTransactions.length),
      ...abortedTransactions.flatMap(({ producerId, firstOffset }) => [int64(producerId), int64(firstOffset)]),
      ...[int32(-1), int32(batches.length), batches],
    ]);
  });
  return Buffer.concat([throttle, int16(error), session, int32(topics.length), ...topics]);
}

const offset = fc.bigInt({ min: -1n, max: 2n ** 62n });
const partition: fc.Arbitrary<FetchedPartition> = fc.record(
  {
    topic: fc.string({ unit: 'grapheme' }),
    partition: fc.integer({ min: 0, max: 1000 }),
    errorCode: fc.integer({ min: -1, max: 100 }),
    lastStableOffset: offset,
    highWatermark: offset,
    logStartOffset: offset,
    abortedTransactions: fc.array(fc.record({ producerId: offset, firstOffset: offset }, { noNullPrototype: true })),
    batches: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
);

test('law: partitions come out of the answer as they went in, whatever the topics are called', () => {
  fc.assert(
    fc.property(fc.array(partition), (partitions) => {
      assert.deepEqual(decodeFetchResponse(encode(partitions)), {
        errorCode: 0,
        clientSideThrottleTime: 250,
        partitions,
      });
    }),
  );
});

test('an answer that fails as a whole says so', () => {
  assert.deepEqual(decodeFetchResponse(encode([], 70)), {
    errorCode: 70,
    clientSideThrottleTime: 250,
    partitions: [],
  });
});
