import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerProperties, clusterIdOf, type BrokerPlan } from './kafka-process.ts';

const plan = (id: number): BrokerPlan => ({
  id,
  dir: `/data/${id}`,
  clientPort: id * 10,
  advertisedPort: id * 10 + 1,
  internalPort: id * 10 + 2,
  controllerPort: id * 10 + 3,
});

test('internal topics fit the number of brokers, and clients are told the advertised port', () => {
  const cluster = [plan(1), plan(2), plan(3)];
  const three = brokerProperties(plan(2), cluster).split('\n');
  assert.ok(three.includes('transaction.state.log.replication.factor=3'));
  assert.ok(three.includes('min.insync.replicas=2'));
  assert.ok(three.includes('controller.quorum.voters=1@127.0.0.1:13,2@127.0.0.1:23,3@127.0.0.1:33'));
  assert.ok(three.includes('advertised.listeners=CLIENT://127.0.0.1:21,INTERNAL://127.0.0.1:22'));
  const one = brokerProperties(plan(1), [plan(1)]).split('\n');
  assert.ok(one.includes('transaction.state.log.replication.factor=1'));
  assert.ok(one.includes('transaction.state.log.min.isr=1'));
  assert.ok(one.includes('auto.create.topics.enable=false'));
});

test('listeners and properties of a test come beside the usual ones, a PEM text in one line', () => {
  const listener = { name: 'SECURE', protocol: 'SSL', port: 14, properties: { 'ssl.keystore.key': 'a\nb\n' } } as const;
  const own = { ...plan(1), listeners: [listener], properties: { 'num.partitions': '7' } };
  const lines = brokerProperties(own, [own]).split('\n');
  assert.ok(
    lines.includes(
      'listeners=CLIENT://127.0.0.1:10,INTERNAL://127.0.0.1:12,CONTROLLER://127.0.0.1:13,SECURE://127.0.0.1:14',
    ),
  );
  assert.ok(
    lines.includes(
      'listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SSL',
    ),
  );
  assert.ok(lines.includes(String.raw`listener.name.secure.ssl.keystore.key=a\nb\n`));
  assert.ok(lines.includes('num.partitions=7'));
});

test('no cluster id begins with a hyphen, whatever the random bytes', () => {
  for (let first = 0; first < 256; first += 1) {
    const id = clusterIdOf(Buffer.from([first, ...Array<number>(15).fill(255)]));
    assert.match(id, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
  }
});
