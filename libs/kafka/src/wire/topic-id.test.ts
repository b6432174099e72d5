import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTopicId, decodeTopicRights, encodeTopicIdRequest } from './topic-id.ts';

const int32 = (value: number) => Buffer.from(Int32Array.of(value).buffer).swap32();
const compact = (text: string) => Buffer.concat([Uint8Array.of(text.length + 1), Buffer.from(text)]);
const tags = Uint8Array.of(0);
const ID = 'a1'.repeat(16);

/** As the protocol guide describes version 10, the header's tagged fields included; one of them is unknown to us. */
function answer(errorCode: number, id: string, rest = [Uint8Array.of(1), int32(0)]): Buffer {
  const broker = Buffer.concat([int32(1), compact('kafka'), int32(9092), Uint8Array.of(0), tags]);
  const topic = [Uint8Array.of(0, errorCode), compact('orders'), Buffer.from(id, 'hex'), Uint8Array.of(0), ...rest];
  const header = Uint8Array.of(1, 7, 2, 99, 99);
  return Buffer.concat([
    ...[header, int32(0), Uint8Array.of(3), broker, broker, compact('cluster'), int32(1), Uint8Array.of(2)],
    ...topic,
    tags,
  ]);
}

test('the request is what the protocol guide says of Metadata version 10', () => {
  const expected = `0002${'00'.repeat(16)}07${Buffer.from('orders').toString('hex')}0000000000`;
  assert.equal(encodeTopicIdRequest('orders').toString('hex'), expected);
});

test('a topic’s id is read behind brokers and tagged fields; none where the topic or its id is unknown', () => {
  assert.equal(decodeTopicId(answer(0, ID)), ID);
  assert.equal(decodeTopicId(answer(3, '00'.repeat(16))), undefined);
  assert.equal(decodeTopicId(answer(0, '00'.repeat(16))), undefined);
});

test('what may be done to a topic is asked for in one byte, and read behind its partitions', () => {
  const [plain, asking] = [encodeTopicIdRequest('orders'), encodeTopicIdRequest('orders', true)];
  assert.deepEqual(Buffer.from(asking).fill(0, asking.length - 2, asking.length - 1), plain);
  assert.equal(asking.at(-2), 1);
  const partition = [
    Buffer.alloc(14),
    Uint8Array.of(3),
    int32(1),
    int32(2),
    Uint8Array.of(2),
    int32(1),
    Uint8Array.of(1, 0),
  ];
  const rights = (bits: number) =>
    decodeTopicRights(answer(0, ID, [Uint8Array.of(3), ...partition, ...partition, int32(bits)]));
  assert.deepEqual(rights(0x508), { read: true, write: false });
  assert.deepEqual(rights(0x510), { read: false, write: true });
  assert.deepEqual(rights(0), { read: false, write: false });
  assert.equal(decodeTopicRights(answer(3, '00'.repeat(16))), undefined);
});
