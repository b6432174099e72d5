/**
 * The bare loop, for comparison: the same client's group, undici's pool, each key's records one after the other, 64 at
 * once, and a commit per batch. No frame is looked at, no rule, no retry, no circuit, no metric.
 *
 *   KAFKA_BROKERS=… node apps/consumer/bench/bare.ts TOPIC URL COUNT
 */
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import kafkajs, { Kafka, logLevel } from 'kafkajs';
import { Pool } from 'undici';

const CONCURRENCY = 64;
const FRAME_BYTES = 5;
const ZSTD = kafkajs.CompressionTypes.ZSTD;
const [topic, url, count] = process.argv.slice(2);
const brokers = process.env.KAFKA_BROKERS?.split(',');
if (!topic || !url || !count || !brokers) throw new Error('usage: KAFKA_BROKERS=… bare.ts TOPIC URL COUNT');

const unpack = promisify(zstdDecompress);
kafkajs.CompressionCodecs[ZSTD] = () => ({ compress: unpack, decompress: unpack });

const { origin, pathname } = new URL(url);
const pool = new Pool(origin, { connections: CONCURRENCY });
const consumer = new Kafka({ brokers, logLevel: logLevel.ERROR }).consumer({ groupId: `${topic}.bare-${process.pid}` });
const lastOfKey = new Map<string, Promise<void>>();
let inHand = 0;
let delivered = 0;
const waiting: (() => void)[] = [];
const done = Promise.withResolvers<undefined>();

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  partitionsConsumedConcurrently: 6,
  eachBatch: async ({ batch }) => {
    const work: Promise<void>[] = [];
    for (const { key, value, offset } of batch.messages) {
      while (inHand >= CONCURRENCY) await new Promise<void>((resolve) => waiting.push(resolve));
      inHand += 1;
      const name = key!.toString();
      const idempotencyKey = `${batch.partition}-${offset}`;
      const settled = (lastOfKey.get(name) ?? Promise.resolve()).then(async () => {
        await post(value!.subarray(FRAME_BYTES), idempotencyKey);
      });
      lastOfKey.set(name, settled);
      work.push(settled);
    }
    await Promise.all(work);
  },
});
await done.promise;
await consumer.disconnect();
await pool.close();

async function post(body: Buffer, idempotencyKey: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
  const { statusCode, body: answer } = await pool.request({ path: pathname, method: 'POST', headers, body });
  await answer.dump();
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  inHand -= 1;
  waiting.shift()?.();
  delivered += 1;
  if (delivered === Number(count)) done.resolve(undefined);
}
