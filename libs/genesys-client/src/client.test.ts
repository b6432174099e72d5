import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_ID, CLIENT_SECRET, genesys, json, never } from '../fixtures/genesys-server.ts';

test('a details job goes through: availability, submit, status, pages by cursor', async () => {
  const page = '{ "conversations":[{"conversationId":"a","n":9007199254740993}],"cursor":"c 1&2" }';
  await using stand = await genesys((response, nth) => {
    if (nth === 0) json(response, 200, { dataAvailabilityDate: '2026-01-02T03:04:05.000Z', more: 1 });
    if (nth === 1) json(response, 202, { jobId: 'job-1', more: true });
    if (nth === 2) json(response, 202, { state: 'QUEUED' });
    if (nth === 3) json(response, 200, { state: 'FULFILLED', expirationDate: '2026-01-05T00:00:00Z' });
    if (nth === 4 || nth === 5) response.writeHead(200, { 'content-type': 'application/json' }).end(page);
  });
  const { detailsJobs: jobs } = stand.client;
  assert.deepEqual(await stand.client.availability(never), new Date('2026-01-02T03:04:05Z'));
  assert.deepEqual(await jobs.submit({ interval: 'i/j', segmentFilters: [] }, never), { jobId: 'job-1' });
  assert.deepEqual(await jobs.status('job-1', never), { state: 'pending' });
  assert.deepEqual(await jobs.status('job-1', never), { state: 'done' });
  // Bytes, not values: the large number and the blanks survive.
  assert.equal((await jobs.page('job-1', { pageSize: 1000 }, never)).toString(), page);
  await jobs.page('job-1', { cursor: 'c 1&2', pageSize: 1000 }, never);

  const base = '/api/v2/analytics/conversations/details/jobs';
  assert.deepEqual(
    stand.seen.map(({ method, url }) => `${method} ${url}`),
    [
      `GET ${base}/availability`,
      `POST ${base}`,
      `GET ${base}/job-1`,
      `GET ${base}/job-1`,
      `GET ${base}/job-1/results?pageSize=1000`,
      `GET ${base}/job-1/results?cursor=c+1%262&pageSize=1000`,
    ],
  );
  assert.equal(stand.seen[1]?.body, '{"interval":"i/j","segmentFilters":[]}');
  assert.equal(stand.seen[1].headers['content-type'], 'application/json');
  assert.ok(stand.seen.every(({ headers }) => headers.authorization === 'Bearer token-1'));
});

test('the login is Basic with a form body, once for all calls', async () => {
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }));
  await Promise.all(Array.from({ length: 5 }, async () => stand.client.detailsJobs.status('j', never)));
  assert.equal(stand.logins.length, 1);
  const [login] = stand.logins;
  assert.equal(login?.body, 'grant_type=client_credentials');
  assert.equal(login.headers['content-type'], 'application/x-www-form-urlencoded');
  const basic = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64');
  assert.equal(login.headers.authorization, `Basic ${basic}`);
});

test('a bulk archive goes through: submit, status, link', async () => {
  const resultsUrl = 'https://files.example/a.zip?X-Amz-Signature=abc';
  await using stand = await genesys((response, nth) => {
    if (nth === 0) json(response, 202, { jobId: 'b1' });
    if (nth === 1) json(response, 200, { status: 'IN_PROGRESS' }, { 'retry-after': '7' });
    if (nth === 2) json(response, 200, { status: 'COMPLETED', resultsUrl });
    if (nth === 3) json(response, 200, { status: 'FAILED', message: 'too\nmuch' });
    if (nth === 4) json(response, 200, { status: 'COMPLETED' });
  });
  const { bulkArchive } = stand.client;
  assert.deepEqual(await bulkArchive.submit({ dateFrom: 'x' }, never), { jobId: 'b1' });
  assert.deepEqual(await bulkArchive.status('b1', never), { state: 'pending', retryAfterMs: 7000 });
  assert.deepEqual(await bulkArchive.status('b1', never), { state: 'done', resultsUrl });
  assert.deepEqual(await bulkArchive.status('b1', never), { state: 'failed', message: 'too much' });
  await assert.rejects(bulkArchive.status('b1', never), { code: 'bad-answer' });
  assert.deepEqual(
    stand.seen.slice(0, 2).map(({ method, url }) => `${method} ${url}`),
    ['POST /api/v2/analytics/conversations/details/query', 'GET /api/v2/jobs/b1'],
  );
});

for (const [word, status] of Object.entries({
  FAILED: { state: 'failed', message: 'why' },
  CANCELLED: { state: 'cancelled', message: 'why' },
  EXPIRED: { state: 'expired', message: 'why' },
})) {
  test(`a job that is ${word} is no longer pending`, async () => {
    await using stand = await genesys((response) => json(response, 200, { state: word, errorMessage: 'why' }));
    assert.deepEqual(await stand.client.detailsJobs.status('j', never), status);
  });
}

test('a state from the future counts as pending, and is told', async () => {
  await using stand = await genesys((response) => json(response, 200, { state: 'ARCHIVING' }));
  assert.deepEqual(await stand.client.detailsJobs.status('j', never), { state: 'pending' });
  assert.ok(stand.events.some((event) => event.type === 'unknown-job-state' && event.state === 'ARCHIVING'));
});

test('a job id that could change the path is never sent', async () => {
  await using stand = await genesys((response) => json(response, 200, { jobId: '../../oauth' }));
  await assert.rejects(stand.client.detailsJobs.submit({}, never), { code: 'bad-answer' });
  for (const id of ['..', 'a/b', 'a?b', 'a b', '']) {
    await assert.rejects(stand.client.detailsJobs.status(id, never), { code: 'job-gone' });
  }
  assert.equal(stand.seen.length, 1);
});

test('an abort ends the call at once with its reason; close ends what is left', async () => {
  const asked = Promise.withResolvers<undefined>();
  await using stand = await genesys(() => asked.resolve(undefined));
  const abort = new AbortController();
  const aborted = stand.client.detailsJobs.status('j', abort.signal);
  const closed = stand.client.detailsJobs.status('j', never);
  const outcomes = Promise.all([assert.rejects(aborted, /stop now/), assert.rejects(closed, /client was closed/)]);
  await asked.promise;
  abort.abort(new Error('stop now'));
  await assert.rejects(aborted, /stop now/);
  await stand.client.close();
  await outcomes;
  await assert.rejects(stand.client.detailsJobs.status('j', never), /client was closed/);
});

test('every answer, a login and a failed attempt too, is shown with the times around it; what that throws ends the call', async () => {
  const shown: string[] = [];
  await using stand = await genesys((response, nth) => json(response, nth === 0 ? 503 : 200, { state: 'PENDING' }), {
    onAnswer: ({ host, headers, sentMs, receivedMs }) => {
      assert.ok(typeof headers.date === 'string' && sentMs <= receivedMs);
      shown.push(host);
      if (shown.length === 5) throw new Error('enough');
    },
  });
  await stand.client.detailsJobs.status('j', never);
  assert.equal(shown.length, 3);
  await stand.client.detailsJobs.status('j', never);
  await assert.rejects(stand.client.detailsJobs.status('j', never), /enough/);
});
