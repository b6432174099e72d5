import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, DAY, JOBS } from '../fixtures/client.ts';

type Body = Record<string, unknown>;
const json = async (response: Response): Promise<Body> => (await response.json()) as Body;

test('a wrong secret and an unknown client are refused with the bodies of the platform', async () => {
  await using it = await bench();
  const wrong = await it.login(undefined, 'no');
  assert.equal(wrong.status, 401);
  assert.deepEqual(await json(wrong), {
    error: 'invalid_client',
    description: 'authentication failed',
    error_description: 'authentication failed',
  });
  const unknown = await it.login('nobody');
  assert.equal(unknown.status, 400);
  assert.equal((await json(unknown)).error_description, 'client not found');
});

test('a token is good until it expires, then every call is 401 with an ErrorBody', async () => {
  await using it = await bench({ tokenTtlSeconds: 300 });
  assert.equal((await json(await it.login())).expires_in, 300);
  it.clock.ms += 299_999;
  assert.equal((await it.get(`${JOBS}/availability`)).status, 200);
  it.clock.ms += 1;
  const refused = await it.get(`${JOBS}/availability`);
  const body = await json(refused);
  assert.equal(refused.status, 401);
  assert.deepEqual([body.code, body.status], ['bad.credentials', 401]);
  assert.deepEqual(Object.keys(body), ['message', 'code', 'status', 'messageParams', 'contextId', 'details', 'errors']);
  await it.login();
  assert.equal((await it.get(`${JOBS}/availability`)).status, 200);
});

test('a missing permission is 403 and names what is needed; availability takes only the first', async () => {
  await using it = await bench({ permissions: ['analytics:agentConversationDetail:view'] });
  assert.equal((await it.post(JOBS, { interval: DAY })).status, 202);
  const refused = await it.get(`${JOBS}/availability`);
  assert.equal(refused.status, 403);
  const body = await json(refused);
  assert.equal(body.code, 'missing.any.permissions');
  assert.match(String(body.message), /\[analytics:conversationDetail:view\]/);
});

test('the rate limit is in the headers, and past it 429 says when to come back', async () => {
  await using it = await bench({ ratePerMinute: 2 });
  it.clock.ms += 1000;
  const first = await it.get(`${JOBS}/availability`);
  assert.deepEqual(
    ['count', 'allowed', 'reset'].map((name) => first.headers.get(`inin-ratelimit-${name}`)),
    ['1', '2', '60'],
  );
  assert.ok(first.headers.get('inin-correlation-id'));
  it.clock.ms += 20_000;
  await it.get(`${JOBS}/availability`);
  const refused = await it.get(`${JOBS}/availability`);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '40');
  assert.match(String((await json(refused)).message), /Retry the request in \[40\] seconds/);
  it.clock.ms += 40_000;
  assert.equal((await it.get(`${JOBS}/availability`)).status, 200);
});

test('a job goes from QUEUED over PENDING to FULFILLED and EXPIRED, with its dates', async () => {
  await using it = await bench({ jobMs: 1000, resultsTtlSeconds: 60 });
  const submitted = await it.post(JOBS, { interval: DAY });
  assert.equal(submitted.status, 202);
  const { jobId } = await json(submitted);
  const path = `${JOBS}/${String(jobId)}`;
  const state = async () => json(await it.get(path));
  assert.deepEqual(await state(), { state: 'QUEUED', submissionDate: '2026-01-01T00:00:00.000Z' });
  assert.equal((await it.get(`${path}/results`)).status, 409);
  it.clock.ms += 500;
  assert.equal((await state()).state, 'PENDING');
  it.clock.ms += 500;
  assert.deepEqual(await state(), {
    state: 'FULFILLED',
    submissionDate: '2026-01-01T00:00:00.000Z',
    completionDate: '2026-01-01T00:00:01.000Z',
    expirationDate: '2026-01-01T00:01:01.000Z',
  });
  it.clock.ms += 60_000;
  assert.equal((await state()).state, 'EXPIRED');
  assert.equal((await it.get(`${path}/results`)).status, 404);
  assert.equal((await it.get(`${JOBS}/none`)).status, 404);
});

test('DELETE cancels: the state says so and the results are gone', async () => {
  await using it = await bench();
  const jobId = await it.finishedJob();
  assert.equal((await it.get(`${JOBS}/${jobId}`, 'DELETE')).status, 204);
  assert.equal((await json(await it.get(`${JOBS}/${jobId}`))).state, 'CANCELLED');
  assert.equal((await it.get(`${JOBS}/${jobId}/results`)).status, 404);
});

test('following the cursor gives every record once and in order, over short and empty pages too', async () => {
  await using it = await bench({ shortPages: 0.6 });
  const { conversations } = it.simulator;
  const expected = Array.from({ length: 1000 }, (_, index) => conversations.id(index));
  for (const pageSize of [7, 100, 5000]) {
    const jobId = await it.finishedJob();
    const pages = await it.pages(jobId, pageSize);
    assert.deepEqual(
      pages.flatMap((page) => page.conversations.map((record) => record.conversationId)),
      expected,
    );
    assert.ok(pages.every((page) => page.conversations.length <= Math.min(pageSize, 1000)));
    assert.equal(new Set(pages.map((page) => page.cursor)).size, pages.length, 'cursors are new on every page');
    if (pageSize === 7) {
      assert.ok(
        pages.some((page) => page.conversations.length === 0 && page.cursor),
        'an empty page with a cursor',
      );
      assert.ok(
        pages.some((page) => page.conversations.length > 0 && page.conversations.length < 7),
        'a short page',
      );
    }
  }
});

test('a page read again is the same bytes, and its records are those of the generator', async () => {
  await using it = await bench();
  const jobId = await it.finishedJob();
  const read = async () => (await it.get(`${JOBS}/${jobId}/results?pageSize=3`)).text();
  const text = await read();
  assert.equal(await read(), text);
  const { conversations } = it.simulator;
  assert.ok(text.includes([0, 1, 2].map((index) => conversations.text(index)).join(',')));
});

test('data past the watermark is missing without a word, and each page reports the watermark', async () => {
  await using it = await bench({ availability: '2025-10-01T06:00:00Z' });
  assert.deepEqual(await json(await it.get(`${JOBS}/availability`)), {
    dataAvailabilityDate: '2025-10-01T06:00:00.000Z',
  });
  const jobId = await it.finishedJob();
  const later = { dataAvailabilityDate: '2025-10-01T12:00:00Z' };
  assert.equal((await it.post('/_simulator/availability', later, 'PUT')).status, 204);
  const pages = await it.pages(jobId);
  const count = pages.flatMap((page) => page.conversations).length;
  assert.ok(count > 200 && count < 300, `${count}`);
  assert.ok(pages.every((page) => page.dataAvailabilityDate === '2025-10-01T06:00:00.000Z'));
  const next = await it.pages(await it.finishedJob());
  assert.ok(next.flatMap((page) => page.conversations).length > 450);
});

test('an interval finds what overlaps it; startOfDayIntervalMatching what started that day', async () => {
  await using it = await bench({ to: '2025-10-03' });
  const interval = '2025-10-02T12:00:00.000Z/2025-10-02T13:00:00.000Z';
  const find = async (query: object) =>
    (await it.pages(await it.finishedJob(query))).flatMap((page) => page.conversations);
  const [overlap, startDay] = [await find({ interval }), await find({ interval, startOfDayIntervalMatching: true })];
  assert.equal(startDay.length, 500);
  const earlier = new Set(Array.from({ length: 500 }, (_, index) => it.simulator.conversations.id(index)));
  assert.ok(
    overlap.some((record) => earlier.has(record.conversationId)),
    'conversations of the day before are still open',
  );
  const predicates = [{ type: 'dimension', dimension: 'conversationEnd', operator: 'notExists' }];
  const open = await find({ interval, conversationFilters: [{ type: 'and', predicates }], limit: 10, order: 'desc' });
  assert.ok(open.length === 10 && open.every((record) => !('conversationEnd' in record)));
});

test('bad requests are 400 and say what is wrong', async () => {
  await using it = await bench();
  const bad = [
    [{}, /interval \[undefined\]/],
    [{ interval: '2025-10-02T00:00:00Z/2025-10-01T00:00:00Z' }, /ends before it starts/],
    [{ interval: '2025-10-01/2025-10-02' }, /could not be parsed/],
    [{ interval: DAY, order: 'up' }, /order/],
    [{ interval: DAY, segmentFilters: [{ predicates: [{ dimension: 'queueId', value: 'x' }] }] }, /queueId/],
  ] as const;
  for (const [query, message] of bad) {
    const response = await it.post(JOBS, query);
    assert.equal(response.status, 400);
    assert.match(String((await json(response)).message), message);
  }
  const jobId = await it.finishedJob();
  const other = await it.finishedJob();
  const { cursor } = await it.page(other);
  for (const query of ['cursor=nonsense', `cursor=${encodeURIComponent(cursor ?? '')}`, 'pageSize=0', 'pageSize=x']) {
    assert.equal((await it.get(`${JOBS}/${jobId}/results?${query}`)).status, 400, query);
  }
  const noJson = await fetch(it.simulator.apiUrl + JOBS, {
    method: 'POST',
    headers: { authorization: `Bearer ${it.token}`, 'content-type': 'application/json' },
    body: '{"interval',
  });
  assert.equal(noJson.status, 400);
  assert.equal((await it.post(JOBS, { interval: DAY, filler: 'x'.repeat(600_000) })).status, 413);
});
