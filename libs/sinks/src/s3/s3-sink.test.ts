import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '@genesys-kafka/resilience';
import { S3Sink, type ObjectWriter } from './s3-sink.ts';

const never = new AbortController().signal;
const away = new OperationalError('s3-unreachable', 'No answer.', { retry: true });
const denied = new OperationalError('s3-access-denied', 'Not allowed.', { retry: false });
const bug = new TypeError('x');

/** A sink over a storage that fails as told; what was asked of it, in order. */
function setUp(failure?: unknown, connecting?: Error) {
  const asked: string[] = [];
  const fail = async (call: string) => {
    asked.push(call);
    if (failure !== undefined) throw failure as Error;
    return Promise.resolve();
  };
  const writer: ObjectWriter = {
    put: async ({ bucket, key }, body) => fail(`put ${bucket}/${key} ${body.length}`),
    tryPut: async ({ bucket, key }) => fail(`try ${bucket}/${key}`),
    [Symbol.asyncDispose]: async () => void asked.push('closed'),
  };
  const connect = async () => {
    asked.push('connect');
    if (connecting) throw connecting;
    return Promise.resolve(writer);
  };
  const place = { endpoint: 'https://s3.example', bucket: 'lake', prefix: '{yyyy}/' };
  return { asked, sink: new S3Sink({ ...place, batch: { records: 5, bytes: 9, ageMs: 1 }, connect }) };
}

test('an object is put where the sink writes, over one connection that is made with the first, and let go', async () => {
  const { sink, asked } = setUp();
  for (const key of ['a', 'b'])
    assert.deepEqual(await sink.put({ key, body: Buffer.alloc(3) }, never), { kind: 'delivered' });
  await sink.close();
  assert.deepEqual(asked, ['connect', 'put lake/a 3', 'put lake/b 3', 'closed']);
  assert.deepEqual(sink.batch, { records: 5, bytes: 9, ageMs: 1 });
  const unused = setUp();
  await unused.sink.close();
  assert.deepEqual(unused.asked, []);
});

test('a storage that is away is waited for, one that refuses opens the circuit, a bug is none of it', async () => {
  const put = async (failure: unknown, signal = never) =>
    setUp(failure).sink.put({ key: 'a', body: Buffer.alloc(1) }, signal);
  const told = ({ code: cause, message: reason }: OperationalError) => ({ cause, reason });
  assert.deepEqual(await put(away), { kind: 'retry', failure: told(away) });
  assert.deepEqual(await put(denied), { kind: 'misconfigured', failure: told(denied) });
  await assert.rejects(put(bug), bug);
  const stop = new AbortController();
  stop.abort(new Error('stop'));
  for (const failure of [away, bug]) await assert.rejects(put(failure, stop.signal), /stop/);
});

test('a check writes nothing but tries to, below the prefix of today, and says what the storage says', async () => {
  const { sink, asked } = setUp();
  const yearOf = () => new Date().getUTCFullYear();
  const before = yearOf();
  await sink.check(never);
  const [connect, tried, ...others] = asked;
  assert.deepEqual([connect, others], ['connect', []]);
  const may = [before, yearOf()].map((year) => `try lake/${year}/check-0-00000000000000000000-check.ndjson.gz`);
  assert.ok(may.includes(tried!), tried);
  const check = async (failure: unknown, signal = never) => setUp(failure).sink.check(signal);
  await assert.rejects(check(away), {
    code: 'sink-unreachable',
    retry: true,
    cause: away,
    message: /^The storage cannot be written now\. s3-unreachable: No answer\./,
  });
  await assert.rejects(check(denied), {
    code: 'sink-storage-refused',
    retry: false,
    message: /^The storage cannot be written as it is set up\. s3-access-denied: Not allowed\./,
  });
  await assert.rejects(check(bug), bug);
  const stop = new AbortController();
  stop.abort(new Error('stop'));
  await assert.rejects(check(denied, stop.signal), /stop/);
});

test('a connection that does not come about is told like an answer, and holds up no close', async () => {
  const { sink, asked } = setUp(undefined, denied);
  assert.equal((await sink.put({ key: 'a', body: Buffer.alloc(1) }, never)).kind, 'misconfigured');
  await sink.close();
  assert.deepEqual(asked, ['connect']);
});
