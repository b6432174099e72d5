import { startStack } from '@genesys-kafka/testing';
import { createKafkaClient } from '../src/index.ts';
import { newTopic, record } from '../fixtures/conformance.ts';
const stack = await startStack({ brokers: 3, registry: false });
const t0 = performance.now(); const at = () => ((performance.now() - t0) / 1000).toFixed(1);
const quiet = (l: string, m: string, d: any) => { if (process.env.V) console.log(at(), l, m, JSON.stringify(d)); };
const client = createKafkaClient({ clientId: 'k', brokers: stack.brokers, logger: quiet });
const topic = await newTopic(client, { partitions: 6 });
let producer = client.transactionalProducer('tx-' + topic);
for (let round = 0; round < 12; round++) {
  if (round === 3) { await stack.killBroker(1); console.log(at(), 'killed'); }
  if (round === 9) { await stack.startBroker(1); console.log(at(), 'started'); }
  for (;;) { try {
    const s = performance.now();
    const t = await producer.begin(); const b = performance.now();
    await Promise.all([0,1,2,3,4,5].map(p => t.send({ topic, partition: p }, [record('x'.repeat(1000))]))); const e = performance.now();
    await t.commit();
    console.log(at(), 'round', round, 'begin', Math.round(b - s), 'send', Math.round(e - b), 'commit', Math.round(performance.now() - e)); break;
  } catch (e: any) { console.log(at(), 'failed', e.code, e.message); await producer.close(); producer = client.transactionalProducer('tx-' + topic); } }
}
await client.close(); await stack.close();
