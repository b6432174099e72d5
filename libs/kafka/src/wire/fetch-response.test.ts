import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFetchResponse, type FetchedPartition } from './fetch-response.ts';

const int16 = (value: number) => Buffer.from(Uint8Array.of((value >> 8) & 0xff, value & 0xff));
const int32 = (value: number) => Buffer.from(Int32Array.of(value).buffer).swap32();
const int64 = (value: bigint) => Buffer.from(BigInt64Array.of(value).buffer).swap64();

/** One partition of one topic, as the protocol guide describes version 11. */
function encode(topic: string, partition: FetchedPartition): Buffer {
  const { errorCode, highWatermark, lastStableOffset, abortedTransactions, batches } = partition;
  const [throttle, error, session, replica] = [int32(0), int16(0), int32(0), int32(-1)];
  return Buffer.concat([
    ...[throttle, error, session, int32(1), int16(Buffer.byteLength(topic)), Buffer.from(topic)],
    ...[int32(1), int32(3), int16(errorCode), int64(highWatermark), int64(lastStableOffset), int64(0n)],
    int32(abortedTransactions.length),
    ...abortedTransactions.flatMap(({ producerId, firstOffset }) => [int64(producerId), int64(firstOffset)]),
    ...[replica, int32(batches.length), batches],
  ]);
}

const offset = fc.bigInt({ min: -1n, max: 2n ** 62n });
const partition: fc.Arbitrary<FetchedPartition> = fc.record(
  {
    errorCode: fc.integer({ min: -1, max: 100 }),
    lastStableOffset: offset,
    highWatermark: offset,
    abortedTransactions: fc.array(fc.record({ producerId: offset, firstOffset: offset }, { noNullPrototype: true })),
    batches: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
);

test('law: a partition comes out of the answer as it went in, whatever the topic is called', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), partition, (topic, fetched) => {
      assert.deepEqual(decodeFetchResponse(encode(topic, fetched)), fetched);
    }),
  );
});

test('an answer that fails as a whole is an error of the partition', () => {
  const failed = Buffer.concat([int32(0), int16(70), int32(0), int32(0)]);
  assert.deepEqual([decodeFetchResponse(failed).errorCode, decodeFetchResponse(failed).batches.length], [70, 0]);
  const empty = Buffer.concat([int32(0), int16(0), int32(0), int32(0)]);
  assert.equal(decodeFetchResponse(empty).errorCode, -1);
});
