import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batcher, SinkGate, type DeliveryOutcome } from '@genesys-kafka/delivery';
import { systemClock } from '@genesys-kafka/resilience';
import { deliveries } from '../../fixtures/deliveries.ts';
import { httpSink, httpTarget, type Seen } from '../../fixtures/http-target.ts';
import { batchKey } from './body/batch-key.ts';

const never = new AbortController().signal;
const BATCH = { records: 100, bytes: 1_000_000, ageMs: 0 };
const said = (outcome: DeliveryOutcome) =>
  outcome.kind === 'delivered' ? outcome.kind : `${outcome.kind} ${outcome.failure.cause}`;
const keysIn = ({ body }: Seen) =>
  (JSON.parse(body.toString()) as { idempotencyKey: string }[]).map(({ idempotencyKey }) => idempotencyKey);

test('a batch is one request: each record with its key and version, and a key of its own that stays', async (t) => {
  const { seen, origin } = await httpTarget(t);
  const sink = httpSink(t, { url: `${origin}/in`, batch: BATCH, headers: { 'x-api-key': 'k' }, method: 'PUT' });
  const records = deliveries(3);
  assert.deepEqual((await sink.deliver(records, never)).map(said), Array(3).fill('delivered'));
  await sink.deliver(records, never);
  await sink.deliver(records.slice(1), never);
  const [first, again, other] = seen as [Seen, Seen, Seen];
  assert.equal(seen.length, 3);
  assert.deepEqual([first.method, first.path], ['PUT', '/in']);
  assert.deepEqual(JSON.parse(first.body.toString()), [
    { idempotencyKey: 'job:1', recordVersion: 1, record: { conversationId: 'c-1' } },
    { idempotencyKey: 'job:2', recordVersion: 2, record: { conversationId: 'c-2' } },
    { idempotencyKey: 'job:3', recordVersion: 3, record: { conversationId: 'c-3' } },
  ]);
  assert.equal(first.headers['content-type'], 'application/json');
  assert.equal(first.headers['content-length'], String(first.body.length));
  assert.equal(first.headers['x-api-key'], 'k');
  assert.equal(first.headers['record-version'], undefined);
  assert.equal(first.headers['idempotency-key'], batchKey(['job:1', 'job:2', 'job:3']));
  assert.equal(again.headers['idempotency-key'], first.headers['idempotency-key']);
  assert.notEqual(other.headers['idempotency-key'], first.headers['idempotency-key']);
});

test('an answer without items speaks of all: taken, later, refused by login, or one of them at fault', async (t) => {
  let answer: { status: number; headers?: Record<string, string>; body?: unknown } = { status: 200 };
  const { seen, origin } = await httpTarget(t, () => answer);
  const sink = httpSink(t, { url: origin, batch: BATCH });
  const on = async (next: typeof answer, count = 2) => {
    answer = next;
    return sink.deliver(deliveries(count), never);
  };
  assert.deepEqual((await on({ status: 202 })).map(said), ['delivered', 'delivered']);
  assert.deepEqual((await on({ status: 503 })).map(said), ['retry http-503', 'retry http-503']);
  assert.deepEqual((await on({ status: 401 })).map(said), Array(2).fill('misconfigured http-401'));
  for (const status of [400, 409, 413, 422])
    for (const outcome of await on({ status }))
      assert.ok(outcome.kind === 'rejected' && outcome.ofSeveral, `${status}`);
  const [alone] = await on({ status: 422 }, 1);
  assert.ok(alone?.kind === 'rejected' && !alone.ofSeveral, 'it is the guilty one');
  const known = String(
    seen.find(({ headers }) => headers['idempotency-key'] === batchKey(['job:1', 'job:2'])) !== undefined,
  );
  assert.equal(known, 'true');
  assert.deepEqual(
    (await on({ status: 409, body: { existing: batchKey(['job:1', 'job:2']) } })).map(said),
    Array(2).fill('delivered'),
  );
  assert.deepEqual(
    (await on({ status: 409, body: { existing: 'job:1' } })).map(said),
    Array(2).fill('rejected http-409'),
  );
  assert.deepEqual((await on({ status: 409, body: { existing: 'job:1' } }, 1)).map(said), ['delivered']);
});

test('a page of nginx about our certificate or our plain http: is about no record, though it is a 400', async (t) => {
  let title = '';
  const answering = () => ({ status: 400, headers: { 'content-type': 'text/html' }, body: `<title>${title}</title>` });
  const { origin } = await httpTarget(t, answering);
  const [one, several] = [httpSink(t, { url: origin }), httpSink(t, { url: origin, batch: BATCH })];
  for (const [words, outcome] of [
    ['400 No required SSL certificate was sent', 'misconfigured certificate-refused'],
    ['400 The SSL certificate error', 'misconfigured certificate-refused'],
    ['400 The plain HTTP request was sent to HTTPS port', 'misconfigured plain-http'],
    ['400 Bad Request', 'rejected http-400'],
  ] as const) {
    title = words;
    assert.deepEqual((await one.deliver(deliveries(1), never)).map(said), [outcome]);
    assert.deepEqual((await several.deliver(deliveries(2), never)).map(said), Array(2).fill(outcome));
  }
});

test('a 207 settles each record by itself; an answer past all bounds says nothing', async (t) => {
  let body: unknown;
  const { origin } = await httpTarget(t, () => ({ status: 207, headers: { 'retry-after': '7' }, body }));
  const answers = { items: '/results', status: '/status', key: '/id' };
  const sink = httpSink(t, { url: origin, batch: { ...BATCH, records: 3 }, answers });
  body = {
    results: [
      { id: 'job:2', status: 422 },
      { id: 'job:1', status: 201 },
      { id: 'job:3', status: 429 },
    ],
  };
  const outcomes = await sink.deliver(deliveries(3), never);
  assert.deepEqual(outcomes.map(said), ['delivered', 'rejected http-422', 'retry http-429']);
  assert.ok(outcomes[2]?.kind === 'retry' && outcomes[2].retryAfterMs === 7000);
  assert.ok(outcomes[1]?.kind === 'rejected' && !outcomes[1].ofSeveral, 'it stands alone');
  const results = [1, 2, 3].map((id) => ({ id: `job:${id}`, status: 200 }));
  body = { padding: 'x'.repeat(200_000), results };
  assert.deepEqual((await sink.deliver(deliveries(3), never)).map(said), Array(3).fill('retry items-missing'));
  body = { padding: 'x'.repeat(60_000), results };
  assert.deepEqual((await sink.deliver(deliveries(3), never)).map(said), Array(3).fill('delivered'));
});

test('a 207 that nobody reads is no success: the circuit opens, for one record and for several', async (t) => {
  const body = { results: [{ status: 200 }, { status: 422 }] };
  const { origin } = await httpTarget(t, () => ({ status: 207, body }));
  const several = httpSink(t, { url: origin, batch: BATCH });
  assert.deepEqual((await several.deliver(deliveries(2), never)).map(said), Array(2).fill('misconfigured http-207'));
  assert.deepEqual((await httpSink(t, { url: origin }).deliver(deliveries(1), never)).map(said), [
    'misconfigured http-207',
  ]);
});

test('a 200 with items settles each record by itself too, and what it does not name waits as long as it says', async (t) => {
  const body = [
    { id: 'job:1', status: 201 },
    { id: 'job:2', status: 422 },
  ];
  const { origin } = await httpTarget(t, () => ({ status: 200, headers: { 'retry-after': '7' }, body }));
  const sink = httpSink(t, { url: origin, batch: BATCH, answers: { items: '', status: '/status', key: '/id' } });
  const outcomes = await sink.deliver(deliveries(3), never);
  assert.deepEqual(outcomes.map(said), ['delivered', 'rejected http-422', 'retry item-missing']);
  assert.ok(outcomes[2]?.kind === 'retry' && outcomes[2].retryAfterMs === 7000);
});

test('an item refused for what we are, beside one that is taken, is about its record and does not open the circuit', async (t) => {
  let statuses = [201, 403];
  const answering = () => ({ status: 200, body: statuses.map((status) => ({ status })) });
  const { origin } = await httpTarget(t, answering);
  const sink = httpSink(t, { url: origin, batch: BATCH, answers: { items: '', status: '/status' } });
  assert.deepEqual((await sink.deliver(deliveries(2), never)).map(said), ['delivered', 'retry http-403']);
  statuses = [422, 403];
  assert.deepEqual((await sink.deliver(deliveries(2), never)).map(said), [
    'rejected http-422',
    'misconfigured http-403',
  ]);
});

test('one bad record among a hundred: its neighbours are taken, and its key is asked for in few requests', async (t) => {
  const { seen, origin } = await httpTarget(t, (one) => ({ status: keysIn(one).includes('job:42') ? 422 : 200 }));
  const sink = httpSink(t, { url: origin, batch: BATCH });
  const gate = new SinkGate({
    concurrency: 2,
    breaker: { errors: 0.5, over: 4, cooldownMs: 1000, maxWaitMs: 1000 },
  });
  const batcher = new Batcher({ sink, gate, lane: 'normal', clock: systemClock, onAnswer: () => undefined });
  const signals = { stopping: never, signal: never };
  const outcomes = await Promise.all(deliveries(100).map(async (one) => batcher.deliver(one, signals)));
  assert.deepEqual(
    outcomes.flatMap(({ kind }, index) => (kind === 'delivered' ? [] : [[index + 1, kind]])),
    [[42, 'rejected']],
  );
  assert.ok(seen.length <= 1 + 2 * Math.ceil(Math.log2(100)), `${seen.length} requests`);
  const taken = seen.filter((one) => !keysIn(one).includes('job:42')).flatMap(keysIn);
  assert.equal(new Set(taken).size, 99);
  assert.equal(taken.length, 99, 'none of them twice');
  assert.equal(gate.state, 'closed');
  gate.close();
});
