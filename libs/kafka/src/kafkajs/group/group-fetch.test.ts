import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Batch } from 'kafkajs';
import type { FetchedPartition } from '../../wire/fetch-response.ts';
import type { Broker, GroupFetchRequest } from '../internals.ts';
import { batchOf, fetchForGroup } from './group-fetch.ts';

const int16 = (value: number) => Buffer.from(Uint8Array.of((value >> 8) & 0xff, value & 0xff));
const int32 = (value: number) => Buffer.from(Int32Array.of(value).buffer).swap32();
const int64 = (value: bigint) => Buffer.from(BigInt64Array.of(value).buffer).swap64();

/** A broker that answers every fetch with these partitions. */
function answering(partitions: readonly Partial<FetchedPartition>[]): Broker {
  const connectionPool = {
    send: async () => ({
      errorCode: 0,
      clientSideThrottleTime: 0,
      partitions: partitions.map((partition, index) => ({
        ...{ topic: 't', partition: index, errorCode: 0, highWatermark: 100n, lastStableOffset: 100n },
        ...{ logStartOffset: 0n, abortedTransactions: [], batches: Buffer.alloc(0), ...partition },
      })),
    }),
  };
  return { connectionPool } as unknown as Broker;
}

function request(...offsets: readonly number[]): GroupFetchRequest {
  const partitions = offsets.map((from, partition) => ({ partition, fetchOffset: String(from), maxBytes: 1000 }));
  const topics = [{ topic: 't', partitions }];
  return { maxWaitTime: 1, minBytes: 1, maxBytes: 1e6, isolationLevel: 1, rackId: '', topics };
}

/** A batch as the protocol guide has it, uncompressed or with a body that is packed already. */
function recordBatch(base: number, lastDelta: number, attributes: number, count: number, body: Buffer): Buffer {
  return Buffer.concat([
    ...[int64(BigInt(base)), int32(49 + body.length), int32(0), Uint8Array.of(2), int32(0), int16(attributes)],
    ...[int32(lastDelta), int64(0n), int64(0n), int64(-1n), int16(0), int32(-1), int32(count), body],
  ]);
}

const CONTROL = 0x20;
/** A record of length 10 without key, value and headers: attributes, three varints, a control key. */
const COMMIT_MARKER = Uint8Array.of(20, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0);

const fetched = async (broker: Broker, asked: GroupFetchRequest, maxBytes = 1e6) => {
  const { responses } = await fetchForGroup(broker, asked, { maxBytes, generation: 1 });
  return responses.map(({ partitions: [one] }) =>
    one!.messages.length === 0 ? undefined : batchOf({ messages: one!.messages } as unknown as Batch).batch,
  );
};

test('a fetch of markers alone is a batch for us: kafkajs has nothing that it could pass over by itself', async () => {
  const markers = recordBatch(7, 0, CONTROL, 1, Buffer.from(COMMIT_MARKER));
  const [batch] = await fetched(answering([{ batches: markers }]), request(7));
  assert.deepEqual(batch, {
    topic: 't',
    partition: 0,
    from: 7n,
    outOfRange: false,
    records: [],
    unwanted: 0,
    nextOffset: 8n,
    memory: [],
  });
});

test('what compaction left empty is covered, and a poll that brings nothing is no batch', async () => {
  const batches = [{ batches: recordBatch(3, 9, 0, 0, Buffer.alloc(0)) }, {}];
  const [emptied, idle] = await fetched(answering(batches), request(3, 5));
  assert.equal(emptied?.nextOffset, 13n);
  assert.equal(idle, undefined);
});

test('an offset out of range is told and not reset; any other error is kafkajs’s to recover from', async () => {
  const [batch] = await fetched(answering([{ errorCode: 1 }]), request(700));
  assert.deepEqual([batch?.outOfRange, batch?.from, batch?.nextOffset], [true, 700n, 700n]);
  await assert.rejects(fetched(answering([{}, { errorCode: 6 }]), request(0, 0)), { type: 'NOT_LEADER_FOR_PARTITION' });
});

test('what cannot be read is not fetched for ever', async () => {
  const broken = answering([{ batches: recordBatch(0, 0, 2, 1, Buffer.from('snappy')) }]);
  const message = /^A batch of snappy at offset 0 of t-0, of 6 bytes, cannot be read/;
  await assert.rejects(fetched(broken, request(0)), { code: 'codec-unsupported', retriable: false, message });
});

test('what a fetch unpacks to is counted over its partitions: what does not fit any more is fetched again', async () => {
  const packed = { batches: recordBatch(0, 4, 1, 0, gzipSync(Buffer.alloc(600))) };
  const [first, second] = await fetched(answering([packed, packed]), request(0, 0), 1000);
  assert.equal(first?.nextOffset, 5n);
  assert.equal(second, undefined);
  await assert.rejects(fetched(answering([packed]), request(0), 500), { code: 'decompression-limit' });
});

test('records that pack well come a few megabytes at a time, and a batch of more than that whole', async () => {
  const packed = (bytes: number) => ({ batches: recordBatch(0, 4, 1, 0, gzipSync(Buffer.alloc(bytes))) });
  const three = [packed(3e6), packed(3e6), packed(1)];
  const batches = await fetched(answering(three), request(0, 0, 0), 1e8);
  assert.deepEqual(
    batches.map((batch) => batch?.nextOffset),
    [5n, 5n, undefined],
  );
  const [large] = await fetched(answering([packed(9e6)]), request(0), 1e8);
  assert.equal(large?.nextOffset, 5n);
});

test('partitions are asked for in any order, so that none is always the last', async () => {
  const orders = new Set<string>();
  const asked: GroupFetchRequest = request(0, 0, 0);
  let seed = 0;
  const random = () => (seed = (seed * 16807 + 7) % 101) / 101;
  for (let round = 0; round < 20; round += 1) {
    const broker = {
      connectionPool: {
        send: async ({ request: { encode } }: { request: { encode: () => Promise<{ buffer: Buffer }> } }) => {
          orders.add((await encode()).buffer.toString('hex'));
          return { errorCode: 0, clientSideThrottleTime: 0, partitions: [] };
        },
      },
    } as unknown as Broker;
    await fetchForGroup(broker, asked, { maxBytes: 1e6, generation: 1, random });
  }
  assert.ok(orders.size > 2);
});

test('while a paused partition may be resumed the broker holds no poll: it is waited for here, unless something came', async () => {
  const waits: number[] = [];
  const broker = (batches: Buffer) => {
    const { connectionPool } = answering([{ batches }]);
    const send = async (call: { readonly requestTimeout: number }) => {
      waits.push(call.requestTimeout - 5000);
      return connectionPool.send(call as unknown as Parameters<typeof connectionPool.send>[0]);
    };
    return { connectionPool: { send } } as unknown as Broker;
  };
  const asked = { ...request(7), maxWaitTime: 3_600_000 };
  const options = { maxBytes: 1e6, generation: 1 };
  const resume = Promise.withResolvers<undefined>();
  const idle = fetchForGroup(broker(Buffer.alloc(0)), asked, { ...options, soon: resume.promise });
  const markers = recordBatch(7, 0, CONTROL, 1, Buffer.from(COMMIT_MARKER));
  await fetchForGroup(broker(markers), asked, { ...options, soon: new Promise(() => undefined) });
  await fetchForGroup(broker(Buffer.alloc(0)), asked, options);
  resume.resolve(undefined);
  await idle;
  assert.deepEqual(waits, [0, 0, 3_600_000]);
});
