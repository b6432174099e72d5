import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyPage, WindowBench } from '../../fixtures/window-bench.ts';

for (const [date, code] of [
  ['2026-01-01T12:00:00Z', 'not-yet-available'],
  ['2026-01-01T23:59:59', 'not-yet-available'],
  ['2026-01-01T12:00:00+0000', 'not-yet-available'],
  ['soon', 'availability-unreadable'],
  ['', 'availability-unreadable'],
  [17, 'availability-unreadable'],
  [[], 'availability-unreadable'],
  [{}, 'availability-unreadable'],
  ['2026-01-02T00:00:00', undefined],
  ['2026-01-02T02:00:00+0200', undefined],
  [undefined, undefined],
] as const) {
  test(`a page whose data is complete until ${JSON.stringify(date)}: ${code ?? 'done'}`, async () => {
    const bench = new WindowBench();
    const [window] = await bench.run({ page: async (jobId) => onlyPage(jobId, { dataAvailabilityDate: date }) });
    assert.deepEqual([window?.state, window?.error?.code], [code === undefined ? 'done' : 'partial', code]);
    assert.deepEqual(bench.lane.ordinals.data, [0, 1]);
  });
}

test('an early date on one page counts, and an unreadable one on another does not hide it', async () => {
  const bench = new WindowBench();
  const [window] = await bench.run({
    page: async (jobId, cursor) =>
      cursor === undefined
        ? onlyPage(`${jobId}-1`, { dataAvailabilityDate: 'soon', cursor: 'b' })
        : onlyPage(`${jobId}-2`, { dataAvailabilityDate: '2026-01-01T12:00:00Z' }),
  });
  assert.deepEqual([window?.state, window?.error?.code], ['partial', 'not-yet-available']);
});

for (const date of ['2026-01-01T12:00:00Z', 'soon']) {
  test(`partial for a date of ${date}: stays so however later dates read, until a new generation gets a new job`, async () => {
    const bench = new WindowBench();
    await bench.run({ page: async (jobId) => onlyPage(jobId, { dataAvailabilityDate: date }) });
    for (let run = 0; run < 2; run += 1) {
      const [window] = await bench.run();
      assert.equal(window?.state, 'partial');
    }
    assert.equal(bench.submitted.length, 1);
    bench.generation = 2;
    const [again] = await bench.run();
    assert.equal(again?.state, 'done');
    assert.equal(bench.submitted.length, 2);
  });
}
