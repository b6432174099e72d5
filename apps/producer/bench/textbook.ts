/**
 * What the usual script does, for comparison: yauzl's stream, stream-json's values, JSON.stringify, kafkajs `send` in
 * batches, awaited one after the other, all with their defaults. It validates nothing, keeps no position and loses digits of long numbers.
 *
 *   KAFKA_BROKERS=… node apps/producer/bench/textbook.ts ARCHIVE.zip TOPIC
 */
import { Kafka, logLevel, type Message } from 'kafkajs';
import { parser } from 'stream-json';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import yauzl from 'yauzl';

const BATCH = 500;
const [archive, topic] = process.argv.slice(2);
const brokers = process.env.KAFKA_BROKERS?.split(',');
if (!archive || !topic || !brokers) throw new Error('usage: KAFKA_BROKERS=… textbook.ts ARCHIVE.zip TOPIC');

const kafka = new Kafka({ brokers, logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 6 }], waitForLeaders: true });
await admin.disconnect();
const producer = kafka.producer({ idempotent: true });
await producer.connect();

const started = performance.now();
let records = 0;
let batch: Message[] = [];
const flush = async () => {
  if (batch.length === 0) return;
  const messages = batch;
  batch = [];
  await producer.send({ topic, messages });
};

const zip = await yauzl.openPromise(archive);
for await (const entry of zip.eachEntry()) {
  const stream = await zip.openReadStreamPromise(entry);
  const values = stream.pipe(parser.asStream()).pipe(streamArray.asStream());
  for await (const { value } of values as AsyncIterable<{ value: { conversationId: string } }>) {
    batch.push({ key: value.conversationId, value: JSON.stringify(value) });
    records += 1;
    if (batch.length === BATCH) await flush();
  }
}
await flush();
const seconds = (performance.now() - started) / 1000;
const { maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ records, seconds: Number(seconds.toFixed(2)), peakMiB: Math.round(maxRSS / 1024) }));
await producer.disconnect();
