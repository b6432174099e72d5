import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DAY, ExportBench, RECORDS, type FaultRule } from '../../fixtures/exports.ts';
import { faultHits } from '../../fixtures/simulator-control.ts';

let bench: ExportBench;

before(async () => {
  bench = await ExportBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

/** A fault that a run must get over by itself. */
interface Healing {
  readonly name: string;
  readonly contract: 'details-jobs' | 'bulk-archive';
  readonly rules: readonly FaultRule[];
}

const status = (code: number, more: Readonly<Record<string, unknown>> = {}) => ({
  kind: 'status',
  status: code,
  ...more,
});
/** The connection breaks in the middle of the archive; what befalls the request that resumes it. */
const resumed = (fault: Readonly<Record<string, unknown>>): FaultRule[] => [
  { on: 'file', do: { kind: 'reset', afterBytes: 60_000 } },
  { on: 'file', after: 1, do: fault },
];

const HEALING: readonly Healing[] = [
  {
    name: 'a 429 that names its wait, on every kind of call',
    contract: 'details-jobs',
    rules: ['token', 'submit', 'status', 'results', 'availability'].map((on) => ({
      on,
      do: status(429, { retryAfter: 1 }),
    })),
  },
  { name: 'a 429 that names no wait', contract: 'details-jobs', rules: [{ on: 'results', after: 2, do: status(429) }] },
  {
    name: '500, 502 and 503 in a row',
    contract: 'details-jobs',
    rules: [500, 502, 503].map((code, index) => ({ on: 'results', after: index, do: status(code) })),
  },
  {
    name: 'a connection that breaks inside a page',
    contract: 'details-jobs',
    rules: [{ on: 'results', after: 2, times: 2, do: { kind: 'reset', afterBytes: 30_000 } }],
  },
  {
    name: 'an answer that never comes, to every kind of call',
    contract: 'details-jobs',
    rules: ['token', 'submit', 'status', 'results', 'availability'].map((on) => ({ on, do: { kind: 'reset' } })),
  },
  {
    name: 'a page shorter than its Content-Length',
    contract: 'details-jobs',
    rules: [{ on: 'results', after: 1, do: { kind: 'content-length', delta: 20 } }],
  },
  {
    name: 'a token that is revoked between two pages',
    contract: 'details-jobs',
    rules: [{ on: 'results', after: 3, do: { kind: 'revoke-token' } }],
  },
  {
    name: 'empty pages with a cursor, the first one too',
    contract: 'details-jobs',
    rules: [
      { on: 'results', do: { kind: 'empty-page' } },
      { on: 'results', after: 3, times: 2, do: { kind: 'empty-page' } },
    ],
  },
  {
    name: 'pages of one record',
    contract: 'details-jobs',
    rules: [{ on: 'results', times: 4, do: { kind: 'short-page', records: 1 } }],
  },
  {
    name: '429 and 503 on an archive job',
    contract: 'bulk-archive',
    rules: [
      { on: 'status', do: status(429, { retryAfter: 1 }) },
      { on: 'status', after: 1, do: status(503) },
    ],
  },
  { name: '503 of the files host', contract: 'bulk-archive', rules: [{ on: 'file', times: 2, do: status(503) }] },
  {
    name: 'a connection that breaks inside the archive',
    contract: 'bulk-archive',
    rules: [{ on: 'file', times: 2, do: { kind: 'reset', afterBytes: 60_000 } }],
  },
  {
    name: 'an archive shorter than its Content-Length',
    contract: 'bulk-archive',
    rules: [{ on: 'file', do: { kind: 'content-length', delta: 100 } }],
  },
  {
    name: 'a link that has expired at once',
    contract: 'bulk-archive',
    rules: [{ on: 'file', do: { kind: 'expired-link' } }],
  },
  { name: 'an object that is not there yet', contract: 'bulk-archive', rules: [{ on: 'file', do: status(404) }] },
  { name: 'a link that expires in the middle', contract: 'bulk-archive', rules: resumed({ kind: 'expired-link' }) },
  {
    name: 'an archive whose ETag changes in the middle',
    contract: 'bulk-archive',
    rules: resumed({ kind: 'changed-object' }),
  },
  { name: 'a files host that ignores Range', contract: 'bulk-archive', rules: resumed({ kind: 'ignore-range' }) },
];

for (const { name, contract, rules } of HEALING) {
  test(`${contract}: ${name}: the run ends with 0 and each record is there once`, async () => {
    const one = await bench.begin(rules);
    const { status: exit, report, stderr } = await one.run([...DAY, '--contract', contract]);
    assert.equal(exit, 0, `${JSON.stringify(report)}\n${stderr}`);
    assert.deepEqual(
      report.sources.map((source) => [source.status, source.records]),
      [['done', RECORDS]],
    );
    await one.assertOnceEach(RECORDS);
    const hits = await faultHits(bench.simulator);
    assert(
      hits.every((count) => count > 0),
      `a fault never struck: ${hits.join()}`,
    );
  });
}

test('a broken download goes on by Range where it stopped', async () => {
  const one = await bench.begin([{ on: 'file', do: { kind: 'reset', afterBytes: 60_000 } }]);
  const earlier = (await bench.stats()).requests.file?.[206] ?? 0;
  const { status: exit } = await one.run([...DAY, '--contract', 'bulk-archive']);
  assert.equal(exit, 0);
  assert.equal((await bench.stats()).requests.file?.[206], earlier + 1);
});

test('an archive that becomes another one in the middle is read as one of the two, never as a mixture', async () => {
  const one = await bench.begin(resumed({ kind: 'changed-object', what: 'content' }));
  const { status: exit, report } = await one.run([...DAY, '--contract', 'bulk-archive']);
  if (exit === 3) assert.equal(report.sources[0]?.error?.code, 'source-changed');
  else assert.equal(exit, 0);
  await one.assertOnceEach(exit === 0 ? RECORDS : 0);
});

/** Archives that nobody may publish from: rejected whole; the next run gets a good one. */
const DAMAGED: readonly {
  readonly name: string;
  readonly fault: Readonly<Record<string, unknown>>;
  readonly code: RegExp;
}[] = [
  { name: 'cut short, all headers agreeing', fault: { kind: 'truncate', bytes: 60_000 }, code: /^archive-truncated$/ },
  {
    name: 'damaged in one place',
    fault: { kind: 'corrupt', offset: 50_000, length: 4 },
    code: /^archive-(corrupt|crc-mismatch|size-mismatch)$/,
  },
  {
    name: 'a page of HTML',
    fault: status(200, { contentType: 'text/html', body: '<html>Sorry</html>' }),
    code: /^not-an-archive$/,
  },
];

for (const { name, fault, code } of DAMAGED) {
  test(`an archive that is ${name}: rejected with nothing published, and done by the next run from the same job`, async () => {
    const one = await bench.begin([{ on: 'file', do: fault }]);
    const first = await one.run([...DAY, '--contract', 'bulk-archive']);
    assert.equal(first.status, 3, first.stderr);
    assert.equal(first.report.sources[0]?.status, 'rejected');
    assert.match(first.report.sources[0].error?.code ?? '', code);
    await one.assertOnceEach(0);
    const submits = (await bench.stats()).requests.submit;
    const second = await one.run([...DAY, '--contract', 'bulk-archive']);
    assert.equal(second.status, 0, JSON.stringify(second.report));
    assert.deepEqual((await bench.stats()).requests.submit, submits);
    await one.assertOnceEach(RECORDS);
  });
}

test('a page that is cut inside valid HTTP: the pages before it stand, and the next run goes on from there', async () => {
  const one = await bench.begin([{ on: 'results', after: 3, do: { kind: 'truncate', bytes: 30_000 } }]);
  const first = await one.run(DAY);
  assert.equal(first.status, 3, first.stderr);
  assert.deepEqual(
    first.report.sources.map((source) => [source.status, source.error?.code]),
    [['partial', 'broken-json']],
  );
  await one.assertOnceEach(150);
  const second = await one.run(DAY);
  assert.equal(second.status, 0, JSON.stringify(second.report));
  await one.assertOnceEach(RECORDS);
});

test('results without a member "conversations" are a window without conversations', async () => {
  const body = '{"dataAvailabilityDate":"2026-01-01T00:00:00.000Z"}';
  const one = await bench.begin([{ on: 'results', do: status(200, { contentType: 'application/json', body }) }]);
  const { status: exit, report } = await one.run(DAY);
  assert.equal(exit, 0, JSON.stringify(report));
  assert.equal(report.records.read, 0);
});

test('a failure that lasts ends the run with 1; what was published stands, and the next run goes on', async () => {
  const one = await bench.begin([{ on: 'results', after: 3, times: 'always', do: status(403) }]);
  const running = one.start(DAY);
  const ended = await running.ended;
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /error: permission-missing: /);
  await one.assertOnceEach(150);
  await bench.clearFaults();
  assert.equal((await one.run(DAY)).status, 0);
  await one.assertOnceEach(RECORDS);
});
