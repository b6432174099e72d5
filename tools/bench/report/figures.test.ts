import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf, movements } from './figures.ts';
import type { Run } from '../rounds.ts';
import { cells, movedCells, notes } from './table.ts';

const run = (seconds: number, other: Partial<Run> = {}): Run => ({
  seconds,
  clientCpuSeconds: seconds * 2,
  brokerCpuSeconds: 1,
  sourceCpuSeconds: undefined,
  peakBytes: 200e6,
  loopDelayMs: undefined,
  ...other,
});

test('a line has the medians, the range of the wall times, and how often the guide’s stack would fit into it', () => {
  const runs = new Map([
    ['publish', [run(5), run(4), run(9)]],
    ['python', [run(20), run(30), run(25)]],
  ]);
  assert.deepEqual(cells(linesOf(runs, 1e9), []), [
    ['publish', '5.0 (4.0–9.0)', '200', '10.0', '1.0', '200', '5.00'],
    ['python', '25.0 (20.0–30.0)', '40', '50.0', '1.0', '200', '1.00'],
  ]);
});

test('what is not known is a dash, and a peer that is missing has a line and a reason', () => {
  const unknown = { clientCpuSeconds: undefined, brokerCpuSeconds: undefined, peakBytes: undefined };
  const lines = linesOf(new Map([['export-details-jobs', [run(5, { ...unknown, sourceCpuSeconds: 3 })]]]), 1e9);
  const missing = [{ name: 'python', missing: 'spawn python3 ENOENT' }] as const;
  assert.deepEqual(cells(lines, missing), [
    ['export-details-jobs', '5.0', '200', '—', '—', '—', '—'],
    ['python', 'missing', '—', '—', '—', '—', '—'],
  ]);
  assert.deepEqual(notes(lines, missing), [
    'python is missing: spawn python3 ENOENT',
    'export-details-jobs: the server that it fetched from took 3.0 s of CPU.',
  ]);
});

test('a movement is the ratio within each round, for cases that both commits ran', () => {
  const runs = new Map([
    ['publish', [run(4), run(8), run(6)]],
    ['publish @abc1234', [run(8), run(16), run(6)]],
    ['python', [run(20), run(20), run(20)]],
  ]);
  const moved = movements(runs, '@abc1234');
  assert.deepEqual(movedCells(moved), [
    ['publish', '0.50 (0.50–1.00)', '0.50 (0.50–1.00)', '1.00 (1.00–1.00)', '1.00 (1.00–1.00)'],
  ]);
});

test('the latest event loop and what the way to the broker costs are told, where they were measured', () => {
  const near = ['publish', [run(4, { loopDelayMs: 7 }), run(4, { loopDelayMs: 12.4 })]] as const;
  const far = ['publish, broker 10 ms away', [run(5), run(5)]] as const;
  assert.deepEqual(notes(linesOf(new Map([near, far]), 1e9), []), [
    'publish, broker 10 ms away: 1.25 times as long as beside it.',
    'The product’s event loop was at most 12 ms late (p99 of each run).',
  ]);
  assert.deepEqual(notes(linesOf(new Map([['publish', [run(4)]]]), 1e9), []), []);
});
