import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DAY, ExportBench, RECORDS, type OneExport } from '../../fixtures/exports.ts';
import { untilHit } from '../../fixtures/simulator-control.ts';

const HOUR_MS = 3_600_000;
let bench: ExportBench;

before(async () => {
  bench = await ExportBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

async function submits(): Promise<number> {
  return (await bench.stats()).requests.submit?.[202] ?? 0;
}

for (const [contract, state] of [
  ['details-jobs', 'FAILED'],
  ['details-jobs', 'CANCELLED'],
  ['details-jobs', 'EXPIRED'],
  ['bulk-archive', 'FAILED'],
] as const) {
  test(`${contract}: a job that is ${state}: the window is rejected, and the same command again gets a new job`, async () => {
    const one = await bench.begin([{ on: 'status', do: { kind: 'job', state, message: 'because' } }]);
    const before = await submits();
    const first = await one.run([...DAY, '--contract', contract]);
    assert.equal(first.status, 3, first.stderr);
    const [source] = first.report.sources;
    assert.deepEqual([source?.status, source?.records], ['rejected', 0]);
    assert.equal(source?.error?.code, `job-${state.toLowerCase()}`);
    await one.assertOnceEach(0);
    const second = await one.run([...DAY, '--contract', contract]);
    assert.equal(second.status, 0, JSON.stringify(second.report));
    assert.equal((await submits()) - before, 2);
    await one.assertOnceEach(RECORDS);
  });
}

/** Ends a run by SIGTERM when some pages are committed, and not all: those after the fourth do not come. */
async function stopInTheMiddle(one: OneExport): Promise<number> {
  await bench.addFaults([{ on: 'results', after: 4, times: 'always', do: { kind: 'latency', ms: HOUR_MS } }]);
  const { child, ended } = one.start(DAY);
  await untilHit(bench.simulator, ended);
  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  assert.equal(status, 143, stderr);
  const { records } = await one.published();
  assert(records.length > 0 && records.length < RECORDS, `${records.length} records are published`);
  await bench.clearFaults();
  return records.length;
}

test('a job that is gone in the middle: partial, as often as one asks; --again publishes a new generation whole', async () => {
  const one = await bench.begin();
  const published = await stopInTheMiddle(one);
  await bench.addFaults([{ on: 'status', do: { kind: 'job', state: 'EXPIRED' } }]);
  for (let run = 0; run < 2; run += 1) {
    const { status, report } = await one.run(DAY);
    assert.equal(status, 3);
    const [source] = report.sources;
    assert.deepEqual([source?.status, source?.records, source?.error?.code], ['partial', published, 'source-gone']);
    assert.match(source?.error?.message ?? '', /--again/);
  }
  assert.equal((await one.published()).records.length, published);
  const again = await one.run([...DAY, '--again']);
  assert.equal(again.status, 0, JSON.stringify(again.report));
  assert.equal(again.report.records.published, RECORDS);
  const { records } = await one.published();
  assert.equal(records.length, published + RECORDS);
  assert.equal(new Set(records.map(({ source, ordinal }) => `${source} ${ordinal}`)).size, records.length);
  assert.equal(new Set(records.map(({ key }) => key)).size, RECORDS);
  // Without --again the newest generation is looked at: it is done.
  const done = await one.run(DAY);
  assert.equal(done.status, 0);
  assert.equal((await one.published()).records.length, records.length);
});

test('a cursor that is refused after a restart: partial, source-gone, nothing twice', async () => {
  const one = await bench.begin();
  const published = await stopInTheMiddle(one);
  await bench.addFaults([{ on: 'results', do: { kind: 'status', status: 400 } }]);
  const { status, report } = await one.run(DAY);
  assert.equal(status, 3);
  assert.deepEqual([report.sources[0]?.status, report.sources[0]?.error?.code], ['partial', 'source-gone']);
  await one.assertOnceEach(published);
});

for (const [where, skip] of [
  ['in the middle', 2],
  ['on the first page', 0],
] as const) {
  test(`a cursor that leads to its own page ${where} is seen; nothing is published twice, and --again helps`, async () => {
    const one = await bench.begin([{ on: 'results', after: skip, times: 'always', do: { kind: 'cursor-loop' } }]);
    const { status, report } = await one.run(DAY);
    assert.equal(status, 3, JSON.stringify(report));
    assert.equal(report.sources[0]?.error?.code, 'cursor-loop');
    const published = report.sources[0].records;
    await one.assertOnceEach(published);
    const second = await one.run(DAY);
    assert.equal(second.status, 3);
    await one.assertOnceEach(published);
    await bench.clearFaults();
    const again = await one.run([...DAY, '--again']);
    assert.equal(again.status, 0, JSON.stringify(again.report));
    assert.equal((await one.published()).records.length, published + RECORDS);
  });
}

test('a window past what is available is rejected without a job, the others are done; later it is done too', async () => {
  const one = await bench.begin();
  await bench.setAvailability('2025-10-01T18:00:00Z');
  const args = ['--from', '2025-10-01', '--to', '2025-10-02', '--window', '12h'];
  const before = await submits();
  const first = await one.run(args);
  assert.equal(first.status, 3);
  assert.deepEqual(
    first.report.sources.map(({ status, error }) => [status, error?.code]),
    [
      ['done', undefined],
      ['rejected', 'not-yet-available'],
    ],
  );
  assert.equal((await submits()) - before, 1);
  await bench.setAvailability('2026-01-01T00:00:00Z');
  const second = await one.run(args);
  assert.equal(second.status, 0, JSON.stringify(second.report));
  const { records } = await one.published();
  assert.equal(new Set(records.map(({ key }) => key)).size, RECORDS);
  assert.equal(records.length, second.report.records.published);
});

test('pages that say they miss their tail make the window partial, and what it says to do helps', async () => {
  const body = '{"dataAvailabilityDate":"2026-01-01T00:00:00.000Z"}';
  const lie = { kind: 'status', status: 200, contentType: 'application/json', body };
  const one = await bench.begin([{ on: 'availability', do: lie }]);
  await bench.setAvailability('2025-10-01T12:00:00Z');
  const first = await one.run(DAY);
  assert.equal(first.status, 3, JSON.stringify(first.report));
  const [source] = first.report.sources;
  assert.deepEqual([source?.status, source?.error?.code], ['partial', 'not-yet-available']);
  assert(source!.records < RECORDS);
  await bench.setAvailability('2026-01-01T00:00:00Z');
  // Its job never gets its tail: either the same command helps, or the message sends to --again.
  const args = source?.error?.message.includes('--again') ? [...DAY, '--again'] : DAY;
  const second = await one.run(args);
  assert.equal(second.status, 0, JSON.stringify(second.report));
  assert.equal(new Set((await one.published()).records.map(({ key }) => key)).size, RECORDS);
});

for (const [size, status, code] of [
  [RECORDS, 3, 'truncated-by-size'],
  [RECORDS + 1, 0, undefined],
] as const) {
  test(`bulk-archive: ${RECORDS} records of a query for ${size}: status ${status}`, async () => {
    const one = await bench.begin();
    const query = join(bench.dir, `query-${size}.json`);
    await writeFile(query, JSON.stringify({ size }));
    const { status: exit, report } = await one.run([...DAY, '--contract', 'bulk-archive', '--query', query]);
    assert.equal(exit, status, JSON.stringify(report));
    assert.equal(report.sources[0]?.error?.code, code);
    await one.assertOnceEach(RECORDS);
  });
}

test('two intervals are two exports: each is published, beside the other, and done when asked for again', async () => {
  const one = await bench.begin();
  const morning = ['--from', '2025-10-01T00:00:00Z', '--to', '2025-10-01T12:00:00Z', '--contract', 'bulk-archive'];
  const evening = ['--from', '2025-10-01T12:00:00Z', '--to', '2025-10-02T00:00:00Z', '--contract', 'bulk-archive'];
  const first = await one.run(morning);
  const second = await one.run(evening);
  assert.deepEqual([first.status, second.status], [0, 0], second.stderr);
  assert.notEqual(first.report.exportId, second.report.exportId);
  assert.equal(first.report.records.published + second.report.records.published, RECORDS);
  assert.equal((await one.run(morning)).status, 0);
  await one.assertOnceEach(RECORDS);
});
