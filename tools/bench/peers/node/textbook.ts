/**
 * What the usual script does: yauzl's stream, stream-json's values, JSON.stringify, kafkajs `send` in batches, awaited
 * one after the other. It validates nothing, keeps no position and loses digits of long numbers.
 *
 *   KAFKA_BROKERS=… node textbook.ts ARCHIVE TOPIC
 */
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import kafkajs, { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';
import { parser } from 'stream-json';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import yauzl from 'yauzl';

const BATCH = 500;
const [archive, topic] = process.argv.slice(2);
const brokers = process.env.KAFKA_BROKERS?.split(',');
if (!archive || !topic || !brokers) throw new Error('usage: KAFKA_BROKERS=… textbook.ts ARCHIVE TOPIC');

// kafkajs knows zstd's number and leaves the codec to its user.
const pack = promisify(zstdCompress);
kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }: { readonly buffer: Buffer }) => pack(buffer),
  decompress: () => Promise.reject(new Error('nothing is read here')),
});
const producer = new Kafka({ brokers, logLevel: logLevel.ERROR }).producer({ idempotent: true });
await producer.connect();

let batch: Message[] = [];
const flush = async () => {
  const messages = batch;
  batch = [];
  if (messages.length > 0) await producer.send({ topic, messages, compression: CompressionTypes.ZSTD });
};

const zip = await yauzl.openPromise(archive);
for await (const entry of zip.eachEntry()) {
  const stream = await zip.openReadStreamPromise(entry);
  const values = stream.pipe(parser.asStream()).pipe(streamArray.asStream());
  for await (const { value } of values as AsyncIterable<{ value: { conversationId: string } }>) {
    batch.push({ key: value.conversationId, value: JSON.stringify(value) });
    if (batch.length === BATCH) await flush();
  }
}
await flush();
await producer.disconnect();
