import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { deliverAll } from '../../../fixtures/deliver-all.ts';
import { deliveries, delivery } from '../../../fixtures/deliveries.ts';
import { httpSink, httpTarget, type Seen } from '../../../fixtures/http-target.ts';
import { listen } from '../../../fixtures/listen.ts';
import { RefusedRecords } from './refused-records.ts';

const never = new AbortController().signal;

/** A target behind a firewall that refuses what holds a word, or everything for a while. */
async function setUp(t: TestContext, records: number) {
  const state = { letsUsIn: true };
  const isRefused = ({ body }: Seen) => !state.letsUsIn || body.includes('DROP TABLE');
  const { origin, seen } = await httpTarget(t, (one) => ({ status: isRefused(one) ? 403 : 200 }));
  const sink = httpSink(t, { url: origin, batch: { records, bytes: 1_000_000, ageMs: 0 } });
  const on = async (...batch: ReturnType<typeof deliveries>) =>
    (await sink.deliver(batch, never)).map((outcome) =>
      outcome.kind === 'delivered' ? outcome.kind : `${outcome.kind} ${outcome.failure.cause}`,
    );
  return { state, seen, sink, on };
}

const odd = delivery(7, { note: 'DROP TABLE' });

test('a 403 to one record again, where others are taken in between, is about it: retries, and the circuit stays closed', async (t) => {
  const { sink, on } = await setUp(t, 1);
  assert.deepEqual(await on(delivery(1)), ['delivered']);
  assert.deepEqual(await on(odd), ['misconfigured http-403']);
  assert.deepEqual(await on(odd), ['misconfigured http-403'], 'nothing was taken in between');
  assert.deepEqual(await on(delivery(2)), ['delivered']);
  const [outcome] = await sink.deliver([odd], never);
  assert.ok(outcome!.kind === 'retry' && outcome!.failure.httpStatus === 403, JSON.stringify(outcome));
  assert.equal(outcome!.failure.reason, 'the target takes other records and refuses this one (http-403)');
  assert.deepEqual(await on(delivery(3)), ['delivered']);
});

test('a login that is refused is no record’s fault, however many there are, and none is when it is let in again', async (t) => {
  const { state, on } = await setUp(t, 1);
  state.letsUsIn = false;
  for (const n of [1, 2, 3, 1, 2, 3]) assert.deepEqual(await on(delivery(n)), ['misconfigured http-403']);
  state.letsUsIn = true;
  for (const n of [1, 2]) assert.deepEqual(await on(delivery(n)), ['delivered']);
  state.letsUsIn = false;
  assert.deepEqual(await on(delivery(2)), ['misconfigured http-403'], 'it was taken meanwhile');
});

test('of a batch that is refused the record at fault is found once one goes through alone, and its neighbours are taken', async (t) => {
  const { seen, sink, on } = await setUp(t, 4);
  // The second goes alone, then the third, the fourth, the first.
  assert.deepEqual(await on(delivery(1), odd, odd, odd), Array(4).fill('misconfigured http-403'));
  assert.equal(seen.length, 2);
  const batch = [delivery(1), delivery(2), odd, delivery(4)];
  assert.deepEqual(await on(...batch), Array(4).fill('misconfigured http-403'), 'the odd one went alone');
  assert.deepEqual(await on(...batch), ['rejected http-403', 'rejected http-403', 'rejected http-403', 'delivered']);
  const outcomes = await deliverAll(sink, batch);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['delivered', 'delivered', 'retry', 'delivered'],
  );
});

const PAGE = { headers: { 'content-type': 'text/html' }, body: '<html>Request rejected</html>' };

for (const [what, told] of [
  ['answers 500', { status: 500 }],
  ['breaks behind its proxy', { status: 502 }],
  ['has a firewall that answers with a page and 200', { status: 200, ...PAGE }],
] as const) {
  test(`where a target ${what} for one record of a batch, that record is found and its neighbours are delivered`, async (t) => {
    const { origin } = await httpTarget(t, ({ body }) => (body.includes('DROP TABLE') ? told : { status: 200 }));
    const sink = httpSink(t, { url: origin, batch: { records: 4, bytes: 1_000_000, ageMs: 0 } });
    const batch = [delivery(1), delivery(2), odd, delivery(4)];
    await sink.deliver([delivery(3)], never);
    // As long as nothing else is taken it may be the target that is broken.
    for (const tries of [1, 2]) {
      const kinds = (await sink.deliver(batch, never)).map(({ kind }) => kind);
      assert.deepEqual(kinds, Array(4).fill('retry'), `${tries}`);
    }
    await sink.deliver([delivery(5)], never);
    const outcomes = await deliverAll(sink, batch);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['delivered', 'delivered', 'retry', 'delivered'],
    );
  });
}

test('where a target dies over one record of a batch, or never answers, that record is found and its neighbours are delivered', async (t) => {
  for (const doesAnswer of [false, undefined]) {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        if (!body.includes('DROP TABLE')) response.end();
        else if (doesAnswer === false) request.socket.destroy();
      });
    });
    const batchLimits = { records: 4, bytes: 1_000_000, ageMs: 0 };
    const url = `http://127.0.0.1:${await listen(t, server)}`;
    const sink = httpSink(t, { url, batch: batchLimits, timeoutMs: doesAnswer === undefined ? 500 : 60_000 });
    const batch = [delivery(1), delivery(2), odd, delivery(4)];
    assert.ok((await sink.deliver(batch, never)).every(({ kind }) => kind === 'retry'));
    const expected = ['delivered', 'delivered', 'retry', 'delivered'];
    let kinds: string[] = [];
    // On a busy machine others may be late too, and are tried again.
    for (let tries = 0; tries < 50 && kinds.join() !== expected.join(); tries += 1) {
      await sink.deliver([delivery(5)], never);
      kinds = (await deliverAll(sink, batch)).map(({ kind }) => kind);
    }
    assert.deepEqual(kinds, expected);
  }
});

test('where we are refused, a batch is so too, by one more request; answers for each record show as well that we are let in', async (t) => {
  const { state, seen, on } = await setUp(t, 3);
  state.letsUsIn = false;
  for (const tries of [1, 2, 3]) {
    assert.deepEqual(await on(...deliveries(3)), Array(3).fill('misconfigured http-403'));
    assert.equal(seen.length, 2 * tries);
  }
  const { origin } = await httpTarget(t, ({ body }) =>
    body.includes('DROP TABLE') ? { status: 403 } : { status: 200, body: [{ status: 422 }] },
  );
  const answers = { items: '', status: '/status' };
  const sink = httpSink(t, { url: origin, batch: { records: 3, bytes: 1_000_000, ageMs: 0 }, answers });
  const outcomes = await deliverAll(sink, [delivery(1), delivery(2), odd]);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['rejected', 'rejected', 'retry'],
  );
});

test('what began before a refusal and was taken after it tells nothing; so many are remembered', () => {
  const refused = new RefusedRecords();
  const [early, one] = [refused.begin(), refused.begin()];
  assert.ok(one > early && !refused.refused(['a']));
  refused.letIn(early, ['b']);
  assert.ok(!refused.refused(['a']));
  refused.letIn(refused.begin(), ['c']);
  assert.ok(refused.refused(['x', 'a']), 'one of several');
  for (let n = 0; n < 10_000; n += 1) refused.refused([`k-${n}`]);
  assert.ok(!refused.refused(['a']), 'the oldest is forgotten');
});
