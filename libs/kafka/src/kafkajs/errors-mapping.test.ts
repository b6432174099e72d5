import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { toKafkaError } from './errors-mapping.ts';
import { protocolError } from './internals.ts';

const require = createRequire(import.meta.url);
const Broker = require('kafkajs/src/broker') as new (options: object) => { metadata(): Promise<unknown> };

const context = { doing: 'send 3 records to orders-1', brokers: 'kafka:9092' };

test('protocol errors get a code, a verdict and advice by their number', () => {
  const cases = [
    [47, 'producer-fenced-or-timed-out', false],
    [90, 'producer-fenced-or-timed-out', false],
    [48, 'producer-fenced-or-timed-out', false],
    [45, 'producer-sequence-broken', true],
    [59, 'producer-sequence-broken', true],
    [51, 'broker-not-ready', true],
    [6, 'broker-not-ready', true],
    [14, 'broker-not-ready', true],
    [7, 'broker-unreachable', true],
    [19, 'not-enough-replicas', true],
    [3, 'topic-missing', false],
    [10, 'message-too-large', false],
    [18, 'message-too-large', false],
    [29, 'authorization-failed', false],
    [30, 'authorization-failed', false],
    [53, 'authorization-failed', false],
    [58, 'authentication-failed', false],
    [27, 'rebalance-in-progress', false],
    [22, 'rebalance-in-progress', false],
    [1, 'offset-out-of-range', false],
    [87, 'record-refused', false],
    [32, 'record-refused', false],
    [38, 'topic-refused', false],
    [35, 'kafka-unsupported', false],
    [-1, 'kafka-failed', false],
    [123, 'kafka-failed', false],
  ] as const;
  for (const [number, code, retry] of cases) {
    const error = toKafkaError(protocolError(number), context);
    assert.deepEqual([number, error.code, error.retry], [number, code, retry]);
    assert.match(error.message, /^Kafka could not send 3 records to orders-1 \(kafka:9092\): .+\. .+\.$/);
  }
});

test('a timestamp that a broker refuses, as of a fast clock, is a refusal of the record that names the clock', () => {
  assert.match(toKafkaError(protocolError(32), context).message, /the clock of this machine is fast: set it/);
});

test('the reason is found inside what kafkajs wraps around it, and stays as the cause', () => {
  const refused = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED 127.0.0.1:9092', {
    code: 'ECONNREFUSED',
  });
  const exceeded = new kafkajs.KafkaJSNumberOfRetriesExceeded(refused, { retryCount: 5, retryTime: 1000 });
  const wrapped = Object.assign(new kafkajs.KafkaJSNonRetriableError('wrapped'), { cause: exceeded });
  for (const error of [refused, exceeded, wrapped]) {
    const mapped = toKafkaError(error, context);
    assert.deepEqual([mapped.code, mapped.retry, mapped.cause], ['broker-unreachable', true, error]);
    assert.match(mapped.message, /ECONNREFUSED 127\.0\.0\.1:9092\. Check that the brokers run/);
  }
  const certificate = new kafkajs.KafkaJSConnectionError('Connection error: self-signed certificate', {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  assert.equal(toKafkaError(certificate, context).code, 'tls-failed');
});

test('a TypeError from inside kafkajs, as while a partition has no leader, means "not now"', () => {
  const error = new TypeError("Cannot destructure property 'partitions' of 'high.pop(...)' as it is undefined.");
  const at = (file: string) =>
    `${String(error)}\n    at fetchTopicOffsets (${file}:327:29)\n    at async call (/app/admin.ts:1:1)`;
  error.stack = at('/app/node_modules/kafkajs/src/admin/index.js');
  const wrapped = Object.assign(new kafkajs.KafkaJSNonRetriableError('wrapped'), { cause: error });
  for (const confused of [error, wrapped]) {
    const mapped = toKafkaError(confused, context);
    assert.deepEqual([mapped.code, mapped.retry], ['broker-not-ready', true]);
  }
  error.stack = at('/app/libs/kafka/src/kafkajs/admin.ts');
  assert.equal(toKafkaError(error, context).code, 'kafka-failed', 'a bug of ours is one');
});

test('a KafkaError inside comes out as it is, and an unknown failure is not retried', () => {
  const own = new KafkaError('decompression-limit', 'too much');
  const wrapped = Object.assign(new kafkajs.KafkaJSNonRetriableError('wrapped'), { cause: own });
  assert.equal(toKafkaError(wrapped, context), own);
  for (const odd of [new TypeError('x is not a function'), 'text', undefined]) {
    const mapped = toKafkaError(odd, context);
    assert.deepEqual([mapped.code, mapped.retry], ['kafka-failed', false]);
  }
});

test('a broker that takes connections and says nothing, as one that stands still, is not reached', async () => {
  const logger = new kafkajs.Kafka({ brokers: ['kafka:9092'] }).logger();
  const broker = new Broker({ connectionPool: { host: 'kafka', port: 9092 }, logger });
  await assert.rejects(broker.metadata(), (error) => {
    const { code, retry } = toKafkaError(error, context);
    assert.deepEqual([code, retry], ['broker-unreachable', true]);
    return true;
  });
});
