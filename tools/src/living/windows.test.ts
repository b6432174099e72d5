import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Windows } from './windows.ts';

const at = (hour: number) => Date.UTC(2025, 9, 1, hour);
const instant = (hour: number) => `2025-10-01T${String(hour).padStart(2, '0')}:00Z`;
const line = (from: number, to: number, more: object) =>
  Buffer.from(JSON.stringify({ kind: 'run-window', window: `${instant(from)}/${instant(to)}`, ...more }));
const read = (until: number) => ({ state: 'done', lastReading: { until: new Date(at(until)).toISOString() } });

test('what is not covered by windows that were read late enough is told as intervals', () => {
  const windows = new Windows();
  assert.deepEqual(windows.unread(at(0), at(6), at(12)), ['2025-10-01T00:00:00.000Z/2025-10-01T06:00:00.000Z']);
  windows.add('plan', Buffer.from('{"kind":"run-plan"}'));
  windows.add('b', line(2, 4, read(12)));
  windows.add('a', line(0, 2, read(11)));
  windows.add('c', line(4, 6, { state: 'split', lastReading: read(12).lastReading }));
  windows.add('d', line(4, 5, read(13)));
  const gaps = () => windows.unread(at(0), at(6), at(12)).map((gap) => gap.replaceAll('2025-10-01T', ''));
  assert.deepEqual(gaps(), ['00:00:00.000Z/02:00:00.000Z', '05:00:00.000Z/06:00:00.000Z']);
  // Being read anew, after a reading that was late enough.
  windows.add('a', line(0, 2, { ...read(12), state: 'submitted' }));
  windows.add('e', line(5, 6, { state: 'failed' }));
  assert.deepEqual(gaps(), ['05:00:00.000Z/06:00:00.000Z']);
  windows.add('e', line(5, 6, read(12)));
  assert.deepEqual(gaps(), []);
  assert.deepEqual(windows.counts(), { done: 3, submitted: 1, split: 1 });
});
