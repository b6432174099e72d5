import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, BULK } from '../fixtures/client.ts';
import { unzip } from '../fixtures/unzip.ts';

const bytes = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

test('a query ends in a ZIP with one JSON array of exactly the generator’s records', async () => {
  await using it = await bench({ jobMs: 1000 });
  const submitted = await it.post(BULK, { dateFrom: '2025-10-01T00:00:00Z', dateTo: '2025-10-02T00:00:00Z' });
  assert.equal(submitted.status, 202);
  const { jobId } = (await submitted.json()) as { jobId: string };
  const status = async () => ((await (await it.get(`/api/v2/jobs/${jobId}`)).json()) as { status: string }).status;
  assert.equal(await status(), 'QUEUED');
  it.clock.ms += 500;
  assert.equal(await status(), 'IN_PROGRESS');
  it.clock.ms += 500;
  const { names, content } = await unzip(await bytes(await fetch(await it.freshLink(jobId))));
  assert.deepEqual(names, ['conversations.json']);
  const { conversations } = it.simulator;
  const expected = `[${Array.from({ length: 1000 }, (_, index) => conversations.text(index)).join(',')}]`;
  assert.equal(content.toString(), expected);
});

test('size caps without a word, 10,000 by default, and sort turns the order round', async () => {
  await using it = await bench({ records: 10_050, compressionLevel: 1 });
  const records = async (query: object) => {
    const { content } = await unzip(await bytes(await fetch((await it.archiveLink(query)).resultsUrl)));
    return JSON.parse(content.toString()) as { conversationId: string }[];
  };
  assert.equal((await records({})).length, 10_000);
  const last = await records({ size: 3, sort: [{ field: 'conversationStart', order: 'desc' }] });
  assert.deepEqual(
    last.map((record) => record.conversationId),
    [10_049, 10_048, 10_047].map((index) => it.simulator.conversations.id(index)),
  );
});

test('ranges give exactly the bytes asked for, with the headers a resuming reader needs', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  const whole = await fetch(resultsUrl);
  const all = await bytes(whole);
  const etag = whole.headers.get('etag') ?? '';
  assert.equal(Number(whole.headers.get('content-length')), all.length);
  const get = (headers: Record<string, string>) => fetch(resultsUrl, { headers });
  for (const [start, end] of [
    [0, 0],
    [1, 1000],
    [300_000, 700_000],
    [all.length - 1, all.length - 1],
  ] as const) {
    const part = await get({ range: `bytes=${start}-${end}`, 'if-range': etag });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end}/${all.length}`);
    assert.deepEqual(await bytes(part), all.subarray(start, end + 1));
  }
  assert.deepEqual(await bytes(await get({ range: 'bytes=-22' })), all.subarray(-22));
  const other = await get({ range: 'bytes=5-', 'if-range': '"other"' });
  assert.equal(other.status, 200);
  assert.equal((await bytes(other)).length, all.length);
  assert.equal((await get({ 'if-match': '"other"' })).status, 412);
  assert.equal((await get({ 'if-match': etag })).status, 200);
  const past = await get({ range: `bytes=${all.length}-` });
  assert.equal(past.status, 416);
  assert.equal(past.headers.get('content-range'), `bytes */${all.length}`);
});

test('a link expires with XML and 403; a further poll hands out a link to the same object', async () => {
  await using it = await bench({ linkTtlSeconds: 60 });
  const { jobId, resultsUrl } = await it.archiveLink();
  const etag = (await fetch(resultsUrl)).headers.get('etag');
  it.clock.ms += 60_000;
  const expired = await fetch(resultsUrl);
  assert.equal(expired.status, 403);
  assert.match(await expired.text(), /<Code>AccessDenied<\/Code><Message>Request has expired</);
  const fresh = await it.freshLink(jobId);
  assert.notEqual(fresh, resultsUrl);
  assert.equal((await fetch(fresh)).headers.get('etag'), etag);
});

test('a link is refused when changed, unsigned, asked for with HEAD, or with a bearer token along', async () => {
  await using it = await bench();
  const { resultsUrl } = await it.archiveLink();
  const later = resultsUrl.replace('X-Amz-Expires=3600', 'X-Amz-Expires=99999');
  assert.match(await (await fetch(later)).text(), /SignatureDoesNotMatch/);
  assert.equal((await fetch(resultsUrl.split('?')[0] ?? '')).status, 403);
  assert.equal((await fetch(resultsUrl, { method: 'HEAD' })).status, 403);
  assert.equal((await fetch(resultsUrl, { headers: { authorization: 'Bearer x' } })).status, 400);
});

test('equal queries share one object', async () => {
  await using it = await bench();
  const tags = await Promise.all(
    [1, 2].map(async () => (await fetch((await it.archiveLink()).resultsUrl)).headers.get('etag')),
  );
  assert.equal(tags[0], tags[1]);
});

test('permissions and bad queries are refused', async () => {
  await using it = await bench({ permissions: ['analytics:conversation:view'] });
  assert.equal((await it.post(BULK, { interval: 'x' })).status, 400);
  assert.equal(
    (await it.post(BULK, { dateFrom: '2025-10-01T00:00:00Z', dateTo: '2025-10-02T00:00:00Z', size: 0 })).status,
    400,
  );
  const { jobId } = (await (
    await it.post(BULK, { dateFrom: '2025-10-01T00:00:00Z', dateTo: '2025-10-02T00:00:00Z' })
  ).json()) as { jobId: string };
  assert.equal((await it.get(`/api/v2/jobs/${jobId}`)).status, 403);
});
