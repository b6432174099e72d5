import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, BULK, DAY, JOBS } from '../../fixtures/client.ts';
import type { Bench } from '../../fixtures/client.ts';
import { ApiError } from '../genesys/error-body.ts';
import { Refusals } from './refusals.ts';

const ARCHIVE = { dateFrom: '2025-10-01T00:00:00Z', dateTo: '2025-10-02T00:00:00Z' };
const submit = (it: Bench) => it.post(JOBS, { interval: DAY });

async function assertRefused(answer: Response, seconds: number): Promise<void> {
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), String(seconds));
  assert.ok(answer.headers.get('inin-ratelimit-allowed'));
  const { code, message } = (await answer.json()) as { code: string; message: string };
  assert.equal(code, 'too.many.requests');
  assert.equal(message, `Rate limit exceeded the maximum. Retry the request in [${seconds}] seconds`);
}

test('so many jobs are open at once, of both contracts together; who waits as told gets in', async () => {
  await using it = await bench({ concurrentJobs: 2, jobMs: 5000 });
  assert.equal((await submit(it)).status, 202);
  it.clock.ms += 1500;
  assert.equal((await it.post(BULK, ARCHIVE)).status, 202);
  await assertRefused(await submit(it), 4);
  await assertRefused(await it.post(BULK, ARCHIVE), 4);
  it.clock.ms += 4000;
  assert.equal((await submit(it)).status, 202);
  const { jobs, limits } = it.simulator.stats();
  assert.equal(jobs.openAtMost, 2);
  assert.deepEqual(limits['concurrent-jobs'], { refused: 2, again: 0 });
});

test('a job that is cancelled or has failed makes room', async () => {
  await using it = await bench({ concurrentJobs: 1, jobMs: 5000, resultsTtlSeconds: 1 });
  const { jobId } = (await (await submit(it)).json()) as { jobId: string };
  await assertRefused(await submit(it), 5);
  assert.equal((await it.get(`${JOBS}/${jobId}`, 'DELETE')).status, 204);
  assert.equal((await submit(it)).status, 202);
  // Nobody ever asks for this one: it is over all the same.
  it.clock.ms += 60_000;
  assert.equal((await it.post(BULK, ARCHIVE)).status, 202);
  it.clock.ms += 60_000;
  assert.equal((await submit(it)).status, 202);
});

test('so many are submitted within a second', async () => {
  await using it = await bench({ submitsPerSecond: 2 });
  assert.deepEqual([(await submit(it)).status, (await submit(it)).status], [202, 202]);
  await assertRefused(await submit(it), 1);
  it.clock.ms += 1000;
  assert.equal((await submit(it)).status, 202);
  assert.deepEqual(it.simulator.stats().limits['submit-rate'], { refused: 1, again: 0 });
});

test('a bad query takes no place, and is told so before the limit', async () => {
  await using it = await bench({ concurrentJobs: 1, jobMs: 5000 });
  assert.equal((await it.post(JOBS, { interval: 'x' })).status, 400);
  assert.equal((await submit(it)).status, 202);
  assert.equal((await it.post(JOBS, { interval: 'x' })).status, 400);
});

test('a client that does not wait is counted as refused again; requests that cross an answer are not', () => {
  const clock = { ms: 0 };
  const refusals = new Refusals(() => clock.ms);
  const refuse = (token: string) => assert.ok(refusals.refuse('token-rate', token, 10) instanceof ApiError);
  refuse('a');
  clock.ms += 100;
  refuse('a');
  refuse('b');
  assert.deepEqual(refusals.report()['token-rate'], { refused: 3, again: 0 });
  clock.ms += 1000;
  refuse('a');
  assert.deepEqual(refusals.report()['token-rate'], { refused: 4, again: 1 });
  refusals.pass('token-rate', 'a');
  clock.ms += 60_000;
  refuse('a');
  assert.deepEqual(refusals.report()['token-rate'], { refused: 5, again: 1 });
});

test('results past the ceiling: the page is refused with the platform’s words, or the job fails with them', async () => {
  const message = 'Pagination may not exceed 250 results. Tip: query in smaller intervals.';
  await using it = await bench({ maxResults: 250 });
  const jobId = await it.finishedJob();
  const pages = [await it.page(jobId), await it.page(jobId, (await it.page(jobId)).cursor)];
  pages.push(await it.page(jobId, pages[1]?.cursor));
  assert.deepEqual(
    pages.map((page) => page.conversations.length),
    [100, 100, 50],
  );
  const past = await it.get(`${JOBS}/${jobId}/results?cursor=${encodeURIComponent(pages[2]?.cursor ?? '')}`);
  assert.equal(past.status, 400);
  assert.equal(((await past.json()) as { message: string }).message, message);
  const small = await it.finishedJob({ interval: DAY, limit: 250 });
  assert.equal((await it.pages(small)).flatMap((page) => page.conversations).length, 250);

  await using strict = await bench({ maxResults: 250, maxResultsAt: 'job' });
  const failed = await strict.finishedJob();
  const status = (await (await strict.get(`${JOBS}/${failed}`)).json()) as Record<string, string>;
  assert.deepEqual([status.state, status.errorMessage], ['FAILED', message]);
  assert.equal((await strict.get(`${JOBS}/${failed}/results`)).status, 409);
  assert.equal((await strict.pages(await strict.finishedJob({ interval: DAY, limit: 250 }))).length, 3);
});

test('credentials that are revoked end all tokens and every login, until they are given back', async () => {
  await using it = await bench();
  const set = (revoked: boolean) => it.post('/_simulator/credentials', { revoked }, 'PUT');
  assert.equal((await set(true)).status, 204);
  assert.equal((await it.get(`${JOBS}/availability`)).status, 401);
  const refused = await it.login();
  assert.equal(refused.status, 401);
  assert.equal(((await refused.json()) as { error: string }).error, 'invalid_client');
  await set(false);
  assert.equal((await it.get(`${JOBS}/availability`)).status, 401);
  assert.equal((await it.login()).status, 200);
  assert.equal((await it.get(`${JOBS}/availability`)).status, 200);
});

test('results stay whole until they expire, whatever is submitted meanwhile; then results and cursors are gone', async () => {
  await using it = await bench({ jobMs: 0, resultsTtlSeconds: 60 });
  const jobId = await it.finishedJob();
  const { cursor } = await it.page(jobId);
  it.clock.ms += 58_999;
  await submit(it);
  assert.equal((await it.pages(jobId)).flatMap((page) => page.conversations).length, 1000);
  it.clock.ms += 1;
  await submit(it);
  const status = (await (await it.get(`${JOBS}/${jobId}`)).json()) as Record<string, string>;
  assert.equal(status.state, 'EXPIRED');
  for (const query of ['', `?cursor=${encodeURIComponent(cursor ?? '')}`]) {
    assert.equal((await it.get(`${JOBS}/${jobId}/results${query}`)).status, 404);
  }
});
