import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line } from './figures.ts';
import { goalCells } from './goals.ts';
import { FAR_NAME } from './table.ts';

const same = (value: number) => ({ median: value, min: value, max: value });
const line = (name: string, seconds: number, more: Partial<Line> = {}): Line => ({
  name,
  seconds: same(seconds),
  megabytesPerSecond: 1,
  clientCpuSeconds: undefined,
  brokerCpuSeconds: undefined,
  sourceCpuSeconds: undefined,
  peakBytes: undefined,
  loopDelayMs: undefined,
  timesTheGuide: undefined,
  ...more,
});

test('each goal whose lines were run is held against what was measured, from the right side', () => {
  const lines = [
    line('publish', 8, { peakBytes: same(190 * 2 ** 20), timesTheGuide: 1.7 }),
    line('publish, 1,000,000 records', 80, { peakBytes: same(220 * 2 ** 20) }),
    line('export-details-jobs', 8.5),
    line('java-jackson-stream', 7),
    line(FAR_NAME, 10),
  ];
  assert.deepEqual(
    goalCells(lines).map(([what, ...rest]) => [what!.slice(0, 22), ...rest]),
    [
      ['wall time by that of `', 'at most 1', '1.14', 'missed'],
      ['times as fast as the g', 'at least 1.9', '1.70', 'missed'],
      ['speed of `export-detai', 'at least 0.9', '0.94', 'reached'],
      ['peak memory of `publis', 'at most 200 MiB', '190 MiB', 'reached'],
      ['peak memory at ten tim', 'at most 1.1', '1.16', 'missed'],
      ['a broker 10 ms away: w', 'at most 1.4', '1.25', 'reached'],
    ],
  );
});
