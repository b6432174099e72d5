import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '@genesys-kafka/runtime';
import { clockGuard } from './clock-guard.ts';

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const DAY_MS = 86_400_000;

/** A guard of five minutes, and what it logs; `see` shows it an answer of a server that is so far ahead of us. */
function guarded() {
  const told: unknown[] = [];
  const log = { warn: (facts: unknown) => told.push(facts) } as unknown as Logger;
  const guard = clockGuard({ clock: { maxSkewMs: 300_000 } }, log);
  const show = (date: string | undefined) =>
    guard({ host: 'api.example', headers: { date }, sentMs: NOON_MS, receivedMs: NOON_MS + 100 });
  return { told, show, see: (aheadMs: number) => show(new Date(NOON_MS + aheadMs).toUTCString()) };
}

for (const [what, aheadMs] of [
  ['slow', 10 * DAY_MS],
  ['fast', -10 * DAY_MS],
] as const) {
  test(`a clock that is 10 days ${what} is refused at the first answer: both times, the clock, the host, what to do`, () => {
    assert.throws(() => guarded().see(aheadMs), {
      code: 'clock-skew',
      scope: 'run',
      message:
        aheadMs > 0
          ? /clock.*2026-01-01T12:00:00.100Z.*api\.example.*2026-01-11T12:00:00.*10 days.*behind.*clock\.maxSkew/
          : /clock.*2026-01-01T12:00:00.100Z.*api\.example.*2025-12-22T12:00:0.*10 days.*ahead.*clock\.maxSkew/,
    });
  });
}

test('minutes within clock.maxSkew pass', () => {
  const { see, told } = guarded();
  for (const aheadMs of [0, 299_000, -299_000]) see(aheadMs);
  assert.deepEqual(told, []);
});

test('once the clock was seen to be right, one odd answer is no verdict, and three in a row are', () => {
  const { see } = guarded();
  see(0);
  see(DAY_MS);
  see(DAY_MS);
  see(0);
  see(DAY_MS);
  see(DAY_MS);
  assert.throws(() => see(DAY_MS), { code: 'clock-skew' });
});

test('an answer without a date that can be read proves nothing, and is told once', () => {
  const { see, show, told } = guarded();
  show(undefined);
  show('soon');
  assert.deepEqual(told, [{ host: 'api.example' }]);
  assert.throws(() => see(DAY_MS), { code: 'clock-skew' });
});
