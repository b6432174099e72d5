import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line } from './figures.ts';
import { plot } from './plot.ts';

const line = (name: string, seconds: number, cpu?: number): Line => ({
  name,
  seconds: { median: seconds, min: seconds, max: seconds },
  megabytesPerSecond: 1,
  clientCpuSeconds: cpu === undefined ? undefined : { median: cpu, min: cpu, max: cpu },
  brokerCpuSeconds: undefined,
  sourceCpuSeconds: undefined,
  peakBytes: undefined,
  loopDelayMs: undefined,
  timesTheGuide: undefined,
});

const svg = plot('a < b', [line('slow', 20, 10), line('fast', 5, 5), line('untold', 10)], (name) => name === 'fast');
const widths = (name: string) =>
  [...svg.matchAll(new RegExp(`class="${name}" x="\\d+" y="\\d+" width="([\\d.]+)"`, 'g'))].map(([, width]) =>
    Number(width),
  );

test('bars are as long as the figures, the fastest first, and none stands for what is not known', () => {
  const [fast, untold, slow] = widths('wall');
  assert.deepEqual([untold! / fast!, slow! / fast!].map(Math.round), [2, 4]);
  assert.equal(widths('cpu').length, 2);
});

test('the product stands out, and text is escaped', () => {
  assert.match(svg, /<g class="product"><text[^>]*>fast</);
  assert.equal(svg.match(/class="product"/g)!.length, 1);
  assert.ok(svg.includes('<title>a &lt; b</title>'));
});
