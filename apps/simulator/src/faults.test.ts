import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { bench, JOBS } from '../fixtures/client.ts';
import type { Bench } from '../fixtures/client.ts';
import type { Fault, FaultRuleInput } from './faults/fault-rules.ts';
import { unzip } from '../fixtures/unzip.ts';

type Do = FaultRuleInput['do'];
const bytes = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());
const availability = `${JOBS}/availability`;

/** Puts one rule in force, over HTTP as a script would. */
async function fault(it: Bench, on: string, what: Do, more: Partial<FaultRuleInput> = {}): Promise<void> {
  assert.equal((await it.get('/_simulator/faults', 'DELETE')).status, 204);
  const response = await it.post('/_simulator/faults', { rules: [{ on, do: what, ...more }] });
  assert.equal(response.status, 200, await response.text());
}

/** What arrives on a bare connection until it ends, and how it ended. */
async function raw(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ head: string; body: Buffer; error: string }> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const chunks: Buffer[] = [];
  let error = '';
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', (failure: NodeJS.ErrnoException) => (error = failure.code ?? 'error'));
    socket.once('close', () => resolve());
  });
  const all = Buffer.concat(chunks);
  const end = all.indexOf('\r\n\r\n');
  return { head: all.subarray(0, Math.max(end, 0)).toString(), body: all.subarray(end + 4), error };
}

test('429 and 5xx are answered in place of the call, with or without Retry-After', async () => {
  await using it = await bench();
  await fault(it, 'availability', { kind: 'status', status: 429, retryAfter: 7 });
  const limited = await it.get(availability);
  assert.equal(limited.status, 429);
  assert.equal(limited.headers.get('retry-after'), '7');
  assert.match(await limited.text(), /Retry the request in \[7\] seconds/);
  assert.equal((await it.get(availability)).status, 200);
  await fault(it, 'submit', { kind: 'status', status: 503 });
  const busy = await it.post(JOBS, {});
  assert.equal(busy.status, 503);
  assert.equal(busy.headers.get('retry-after'), null);
  assert.equal(((await busy.json()) as { code: string }).code, 'service.unavailable');
  await fault(it, 'file', { kind: 'status', status: 200, contentType: 'text/html', body: '<html>Sign in</html>' });
  const { resultsUrl } = await it.archiveLink();
  assert.equal(await (await fetch(resultsUrl)).text(), '<html>Sign in</html>');
  assert.equal((await fetch(resultsUrl)).headers.get('content-type'), 'application/zip');
});

test('latency delays an answer', async () => {
  await using it = await bench();
  await fault(it, 'availability', { kind: 'latency', ms: 80 });
  const started = performance.now();
  assert.equal((await it.get(availability)).status, 200);
  assert.ok(performance.now() - started >= 79);
});

test('a reset keeps back the answer of a call that was carried out, or cuts a body at the byte', async () => {
  await using it = await bench();
  await fault(it, 'submit', { kind: 'reset' });
  await assert.rejects(it.post(JOBS, { interval: '2025-10-01T00:00:00Z/2025-10-02T00:00:00Z' }));
  assert.equal(it.simulator.stats().jobs.details, 1);
  assert.deepEqual(it.simulator.stats().requests.submit, { 0: 1 });
  const { resultsUrl } = await it.archiveLink();
  const whole = await bytes(await fetch(resultsUrl));
  await fault(it, 'file', { kind: 'reset', afterBytes: 100_001 });
  const cut = await raw(resultsUrl);
  assert.match(cut.head, new RegExp(`content-length: ${whole.length}`, 'i'));
  assert.deepEqual(cut.body, whole.subarray(0, 100_001));
  assert.equal(cut.error, 'ECONNRESET');
});

test('a stalled body stops at the byte and stays open; a trickling one goes on slowly', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  await fault(it, 'file', { kind: 'stall', afterBytes: 5000 });
  const response = await fetch(resultsUrl);
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  assert.ok(reader);
  let read = 0;
  while (read < 5000) read += (await reader.read()).value?.length ?? 0;
  assert.equal(read, 5000);
  const more = await Promise.race([reader.read(), new Promise((resolve) => setTimeout(resolve, 60, 'nothing'))]);
  assert.equal(more, 'nothing');
  await reader.cancel();
  await fault(it, 'availability', { kind: 'stall', bytesPerSecond: 1000 });
  const slow = await it.get(availability);
  assert.match(await slow.text(), /^\{"dataAvailabilityDate":"[^"]+"\}$/);
});

test('Content-Length can promise too much or too little; the connection then ends', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  const whole = await bytes(await fetch(resultsUrl));
  for (const delta of [50, -50]) {
    await fault(it, 'file', { kind: 'content-length', delta });
    const { head, body } = await raw(resultsUrl);
    assert.match(head, new RegExp(`content-length: ${whole.length + delta}`, 'i'));
    assert.deepEqual(body, whole);
  }
  await fault(it, 'results', { kind: 'content-length', delta: 10 });
  const jobId = await it.finishedJob();
  await assert.rejects(async () => (await it.get(`${JOBS}/${jobId}/results`)).text());
});

test('corrupt bytes sit at their place in the object, whatever range is asked for', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  const whole = await bytes(await fetch(resultsUrl));
  const expected = Buffer.from(whole);
  for (let at = 300_000; at < 300_003; at++) expected[at] = 0xff ^ (whole[at] ?? 0);
  await fault(it, 'file', { kind: 'corrupt', offset: 300_000, length: 3 }, { times: 'always' });
  const damaged = await bytes(await fetch(resultsUrl));
  assert.deepEqual(damaged, expected);
  await assert.rejects(unzip(damaged));
  const part = await fetch(resultsUrl, { headers: { range: 'bytes=300001-300010' } });
  assert.deepEqual(await bytes(part), expected.subarray(300_001, 300_011));
  await fault(it, 'availability', { kind: 'corrupt', offset: 0 });
  assert.notEqual((await bytes(await it.get(availability)))[0], '{'.charCodeAt(0));
});

test('a truncated archive is short with headers that agree', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  const whole = await bytes(await fetch(resultsUrl));
  await fault(it, 'file', { kind: 'truncate', bytes: 10_000 });
  const response = await fetch(resultsUrl);
  assert.equal(response.headers.get('content-length'), '10000');
  assert.deepEqual(await bytes(response), whole.subarray(0, 10_000));
  await fault(it, 'availability', { kind: 'truncate', bytes: 9 });
  assert.equal(await (await it.get(availability)).text(), '{"dataAva');
});

test('a link can expire early, an object change, a Range be ignored', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  const whole = await fetch(resultsUrl);
  const etag = whole.headers.get('etag') ?? '';
  const content = await bytes(whole);
  const resume = () => fetch(resultsUrl, { headers: { range: 'bytes=100-', 'if-range': etag } });
  await fault(it, 'file', { kind: 'expired-link' });
  assert.match(await (await resume()).text(), /Request has expired/);
  assert.equal((await resume()).status, 206);
  await fault(it, 'file', { kind: 'changed-object' });
  const changed = await resume();
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get('etag'), etag);
  await fault(it, 'file', { kind: 'changed-object', what: 'content' });
  const other = await bytes(await resume());
  assert.notDeepEqual(other, content);
  assert.equal((JSON.parse((await unzip(other)).content.toString()) as unknown[]).length, 1000);
  await fault(it, 'file', { kind: 'ignore-range' });
  const ignored = await resume();
  assert.equal(ignored.status, 200);
  assert.equal(ignored.headers.get('etag'), etag);
});

test('a job can fail, be cancelled or expire, and stays so', async () => {
  await using it = await bench();
  for (const state of ['FAILED', 'CANCELLED', 'EXPIRED'] as const) {
    const jobId = await it.finishedJob();
    const message = 'Query exceeded resources';
    await fault(it, 'status', { kind: 'job', state, message });
    for (let poll = 0; poll < 2; poll++) {
      const status = (await (await it.get(`${JOBS}/${jobId}`)).json()) as { state: string; errorMessage?: string };
      assert.equal(status.state, state);
      assert.equal(status.errorMessage, state === 'FAILED' ? message : undefined);
    }
    assert.notEqual((await it.get(`${JOBS}/${jobId}/results`)).status, 200);
  }
  await fault(it, 'GET /api/v2/jobs/*', { kind: 'job', state: 'FAILED', message: 'no space' });
  await assert.rejects(it.archiveLink(), /FAILED: no space/);
});

test('pages can loop, be empty with a cursor, or be short', async () => {
  await using it = await bench();
  const jobId = await it.finishedJob();
  const first = await it.page(jobId);
  await fault(it, 'results', { kind: 'cursor-loop' }, { times: 2 });
  const looped = await it.page(jobId, first.cursor);
  assert.equal(looped.cursor, first.cursor);
  assert.deepEqual(await it.page(jobId, looped.cursor), looped);
  await fault(it, 'results', { kind: 'empty-page' });
  const empty = await it.page(jobId, first.cursor);
  assert.deepEqual(empty.conversations, []);
  assert.ok(empty.cursor !== undefined && empty.cursor !== first.cursor);
  const next = await it.page(jobId, empty.cursor);
  assert.equal(next.conversations[0]?.conversationId, it.simulator.conversations.id(100));
  await fault(it, 'results', { kind: 'short-page', records: 3 });
  assert.equal((await it.page(jobId)).conversations.length, 3);
});

test('a revoked token is refused from then on, and a new one is good', async () => {
  await using it = await bench();
  await fault(it, 'availability', { kind: 'revoke-token' });
  assert.equal((await it.get(availability)).status, 401);
  assert.equal((await it.get(availability)).status, 401);
  await it.login();
  assert.equal((await it.get(availability)).status, 200);
  assert.equal((await it.get('/_simulator/tokens', 'DELETE')).status, 204);
  assert.equal((await it.get(availability)).status, 401);
});

test('a script that is wrong is refused over HTTP with the path of each mistake; counts report the hits', async () => {
  await using it = await bench();
  const refused = await it.post('/_simulator/faults', [{ on: 'file', do: { kind: 'latency' } }]);
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /0\.do\.ms: /);
  await fault(it, 'availability', { kind: 'status', status: 500 });
  await it.get(availability);
  const stats = it.simulator.stats();
  assert.deepEqual(stats.requests.availability, { 500: 1 });
  assert.deepEqual(
    stats.faults.map(({ rule, hits }): [Fault['kind'], number] => [rule.do.kind, hits]),
    [['status', 1]],
  );
});

test('close ends a body that is stalled, at once', async () => {
  const it = await bench();
  const { resultsUrl } = await it.archiveLink();
  await fault(it, 'file', { kind: 'stall', afterBytes: 10 });
  const response = await fetch(resultsUrl);
  const body = assert.rejects(buffer(response.body as never));
  await it.simulator.close();
  await body;
});
