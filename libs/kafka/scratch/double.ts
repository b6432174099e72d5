import { startStack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { createKafkaClient } from '../src/index.ts';
import { newTopic, readAll, record } from '../fixtures/conformance.ts';
const stack = await startStack({ brokers: 3, registry: false, proxied: true, slowBroker: { index: 2, latencyMs: 80 } });
const client = createKafkaClient({ clientId: 'k', brokers: stack.brokers });
const topic = await newTopic(client, { partitions: 6 });
const k = new kafkajs.Kafka({ clientId: 'raw', brokers: stack.brokers, logLevel: 0 });
const p = k.producer({ transactionalId: 'raw-' + topic, idempotent: true, maxInFlightRequests: 1, retry: { initialRetryTime: 20, maxRetryTime: 500, retries: 40 } });
await p.connect();
for (let r = 0; r < 10; r++) {
const t = await p.transaction();
await t.send({ topic, messages: [0,1,2,3,4,5].flatMap(partition => Array.from({ length: 10 }, (_, i) => ({ partition, ...record(`${partition}.${i}`) }))) });
await t.commit();
}
await p.disconnect();
let n = 0; for (const q of [0,1,2,3,4,5]) n += (await readAll(client, topic, q)).length;
console.log('raw single send: 600 sent,', n, 'read');
await client.close(); await stack.close();
