import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { genesys, json, never } from '../../fixtures/genesys-server.ts';
import { JumpClock } from '../../fixtures/jump-clock.ts';
import { GenesysError } from '../errors.ts';

const pending = { state: 'PENDING' };
const message = {
  code: 'too.many.requests',
  message: 'Rate limit exceeded the maximum. Retry the request in [27] seconds',
};

const cases: { what: string; headers: Record<string, string>; body: unknown; waitMs: number }[] = [
  { what: 'Retry-After in seconds', headers: { 'retry-after': '12' }, body: message, waitMs: 12_000 },
  {
    what: 'Retry-After as a date',
    headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:40 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' },
    body: message,
    waitMs: 40_000,
  },
  { what: 'the seconds of the message', headers: {}, body: message, waitMs: 27_000 },
  { what: 'nothing', headers: {}, body: { code: 'too.many.requests' }, waitMs: 5000 },
  { what: 'a Retry-After that is neither', headers: { 'retry-after': '-1' }, body: {}, waitMs: 5000 },
];
for (const { what, headers, body, waitMs } of cases) {
  test(`a 429 with ${what} holds for ${waitMs / 1000} s, then the same call is made again`, async () => {
    await using stand = await genesys((response, nth) => {
      if (nth === 0) json(response, 429, body, headers);
      else json(response, 200, pending);
    });
    await stand.client.detailsJobs.status('j', never);
    assert.equal(stand.seen.length, 2);
    assert.deepEqual(
      stand.events.filter((event) => event.type === 'rate-limited'),
      [{ type: 'rate-limited', holdMs: waitMs }],
    );
    // The jitter of the retry runs within the hold; together they last as long as Genesys asked.
    assert.equal(Math.round(stand.clock.monotonicMs()), waitMs);
  });
}

test('any number of 429s is borne until the time is up, then the error says how long to wait', async () => {
  await using stand = await genesys((response) => json(response, 429, {}, { 'retry-after': '30' }), {
    retryAttempts: 2,
    retryMaxElapsedMs: 120_000,
  });
  await assert.rejects(stand.client.detailsJobs.status('j', never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'rate-limited');
    assert.equal(error.retry, true);
    assert.equal(error.retryAfterMs, 30_000);
    return true;
  });
  // At 0, 30, 60, 90 and 120 s.
  assert.equal(stand.seen.length, 5);
});

test('a 429 that names more time than a call may take is not waited for', async () => {
  await using stand = await genesys((response) => json(response, 429, {}, { 'retry-after': '86400' }));
  await assert.rejects(stand.client.detailsJobs.status('j', never), { code: 'rate-limited' });
  assert.equal(stand.seen.length, 1);
  assert.equal(stand.clock.monotonicMs(), 0);
});

test('calls pause until the window is over when what it allows is nearly spent, and only then', async () => {
  await using stand = await genesys((response, nth) => {
    const count = nth === 0 ? '100' : '295';
    json(response, 200, pending, {
      'inin-ratelimit-count': count,
      'inin-ratelimit-allowed': '300',
      'inin-ratelimit-reset': '20',
    });
  });
  const ask = async () => stand.client.detailsJobs.status('j', never);
  await ask();
  await ask();
  assert.equal(stand.clock.monotonicMs(), 0);
  await ask();
  // The seconds of the reset may have been rounded down.
  assert.equal(stand.clock.monotonicMs(), 21_000);
});

test('headers that make no sense are told once, by a warning that holds nothing odd, and hold nobody up', async () => {
  await using stand = await genesys((response) =>
    json(response, 200, pending, {
      'inin-ratelimit-count': '1',
      'inin-ratelimit-allowed': '<b>1 2</b>',
      'inin-ratelimit-reset': '-5',
    }),
  );
  for (let nth = 0; nth < 5; nth += 1) await stand.client.detailsJobs.status('j', never);
  assert.deepEqual(
    stand.events.filter(({ type }) => type === 'rate-headers-unreadable'),
    [{ type: 'rate-headers-unreadable', count: '1', allowed: 'unprintable', reset: '-5' }],
  );
  assert.equal(stand.clock.monotonicMs(), 0);
  assert.equal(stand.client.budget.used, 5);
});

test('no more than the budget starts in any second, however many ask at once, logins and retries included', async () => {
  const clock = new ManualClock();
  const startedMs: number[] = [];
  const failed = new Set<string>();
  await using stand = await genesys(
    (response, _nth, request) => {
      startedMs.push(clock.monotonicMs());
      // Every call fails once.
      if (failed.has(request.url)) json(response, 200, pending);
      else json(response, 503, {});
      failed.add(request.url);
    },
    {
      clock,
      requestsPerSecond: 4,
      logIn: (response) => {
        startedMs.push(clock.monotonicMs());
        json(response, 200, { access_token: 't' });
      },
    },
  );
  let open = 12;
  const calls = Array.from({ length: open }, async (_, n) => {
    await stand.client.detailsJobs.status(`j${n}`, never);
    open -= 1;
  });
  while (open > 0) {
    await setImmediate();
    // Time moves only while nothing is on the wire, so that the server's times are the budget's.
    const busy = stand.events.filter((event) => event.type === 'request').length < startedMs.length;
    if (!busy && clock.sleeping > 0) await clock.advance(50);
  }
  await Promise.all(calls);
  assert.equal(startedMs.length, 1 + 12 * 2);
  for (const [index, atMs] of startedMs.entries()) {
    const fifth = startedMs[index + 4];
    if (fifth !== undefined) assert.ok(fifth - atMs >= 1000 - 50, `5 calls within ${fifth - atMs} ms`);
  }
});

test('one caller’s 429 holds the others too', async () => {
  const clock = new JumpClock();
  const startedMs: number[] = [];
  let other: Promise<unknown> | undefined;
  await using stand = await genesys(
    (response, nth) => {
      startedMs.push(clock.monotonicMs());
      if (nth === 0) json(response, 429, {}, { 'retry-after': '60' });
      else json(response, 200, pending);
    },
    {
      clock,
      onEvent: (event) => {
        if (event.type === 'rate-limited') other = stand.client.detailsJobs.status('b', never);
      },
    },
  );
  await stand.client.detailsJobs.status('a', never);
  await other;
  assert.equal(startedMs.length, 3);
  assert.ok(startedMs.slice(1).every((atMs) => atMs >= 60_000));
});
