import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { BatchBuilder } from './encoded-batch.ts';
import { encodeProduceRequest, PRODUCE_VERSION } from './produce-request.ts';

interface Request {
  encode(): Promise<{ readonly buffer: Buffer }>;
}

const theirs = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce') as {
  protocol(version: { version: number }): (call: unknown) => { readonly request: Request };
};

const HEADERS = { ordinal: '7', 'content-digest': 'ä€' };
const RECORDS = [
  { key: Buffer.from('k1'), value: Buffer.from('{"conversationId":"1"}'), headers: HEADERS },
  { key: null, value: null, headers: {} },
  { key: Buffer.from('ключ'), value: Buffer.alloc(300, 'x'), headers: {} },
];

for (const transactionalId of [null, 'genesys.lane-ü.1']) {
  test(`the request with one batch of ${transactionalId ?? 'no transaction'} is the bytes that kafkajs makes of it`, async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1_790_000_000_123 });
    const sender = { transactionalId, producerId: 4_000_000_000_000_000_001n, producerEpoch: 3, firstSequence: 70_000 };
    const builder = new BatchBuilder();
    for (const record of RECORDS) builder.add(record);
    const ours = encodeProduceRequest({ topic: 'thème', partition: 5 }, builder.build('none'), {
      ...sender,
      timeoutMs: 4500,
      timestampMs: Date.now(),
    });
    const { request } = theirs.protocol({ version: PRODUCE_VERSION })({
      ...sender,
      producerId: String(sender.producerId),
      acks: -1,
      timeout: 4500,
      topicData: [
        { topic: 'thème', partitions: [{ partition: 5, firstSequence: sender.firstSequence, messages: RECORDS }] },
      ],
    });
    assert.equal(ours.toString('hex'), (await request.encode()).buffer.toString('hex'));
  });
}
