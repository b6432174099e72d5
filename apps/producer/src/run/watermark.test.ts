import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GenesysError } from '@genesys-kafka/genesys-client';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { Watermark } from './watermark.ts';

const NOW_MS = Date.UTC(2026, 1, 1);

const never = new AbortController().signal;
const refused = new GenesysError('login-failed', 'Refused.');

/** Genesys, and what it says at the next questions; the last answer stays. */
function asked(answers: readonly (Date | GenesysError | undefined)[]) {
  let at = 0;
  let changes = 0;
  const clock = new ManualClock(NOW_MS);
  const watermark = new Watermark({
    contract: {
      ask: async () => {
        const answer = answers[Math.min(at, answers.length - 1)];
        at += 1;
        if (answer instanceof GenesysError) throw answer;
        return answer;
      },
    },
    checkEveryMs: 60_000,
    clock,
    maxSkewMs: 300_000,
    onChange: () => (changes += 1),
  });
  return { watermark, clock, questions: () => at, changes: () => changes };
}

const settled = async () => new Promise((resolve) => setImmediate(resolve));

test('a date that is still to come counts as now: windows that are not over would be read as empty', async () => {
  const { watermark, clock } = asked([new Date(NOW_MS + 86_400_000)]);
  const stop = new AbortController();
  const running = watermark.run(stop.signal);
  await settled();
  assert.equal(watermark.untilMs, NOW_MS);
  await clock.advance(60_000);
  assert.equal(watermark.untilMs, NOW_MS + 60_000);
  stop.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
});

test('asked for every checkEvery; a change is told, and only a change', async () => {
  const [one, other] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-01T01:00:00Z')];
  const { watermark, clock, questions, changes } = asked([one, one, other]);
  const stop = new AbortController();
  const running = watermark.run(stop.signal);
  for (const [count, told, until] of [
    [1, 1, one],
    [2, 1, one],
    [3, 2, other],
  ] as const) {
    await settled();
    assert.deepEqual([questions(), changes(), watermark.untilMs], [count, told, until.getTime()]);
    await clock.advance(60_000);
  }
  stop.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
});

test('what Genesys refuses, or says in words that nobody can read, is trouble until it answers: never "no limit"', async () => {
  const until = new Date('2026-01-01T00:00:00Z');
  const { watermark, clock } = asked([until, refused, new GenesysError('bad-answer', 'No date.'), until]);
  const stop = new AbortController();
  const running = watermark.run(stop.signal);
  // It is asked sooner then, after waits that double.
  for (const [trouble, waitMs] of [
    [undefined, 60_000],
    ['login-failed', 6000],
    ['bad-answer', 11_000],
    [undefined, 0],
  ] as const) {
    await settled();
    assert.deepEqual([watermark.trouble?.code, watermark.untilMs], [trouble, until.getTime()]);
    await clock.advance(waitMs);
  }
  stop.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
});

test('a date that goes back is believed, and by how much is known until it is there again', async () => {
  const [one, other] = [new Date('2026-01-03T00:00:00Z'), new Date('2026-01-01T00:00:00Z')];
  const { watermark, clock } = asked([one, other, one]);
  const stop = new AbortController();
  const running = watermark.run(stop.signal);
  for (const [until, backByMs] of [
    [one, 0],
    [other, 2 * 86_400_000],
    [one, 0],
  ] as const) {
    await settled();
    assert.deepEqual([watermark.untilMs, watermark.backByMs], [until.getTime(), backByMs]);
    await clock.advance(60_000);
  }
  stop.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
});

test('a failure is the window’s own where Genesys answers others, and nobody’s where it does not', async () => {
  const own = new GenesysError('server-error', 'No.');
  const well = asked([new Date()]);
  assert.equal(await well.watermark.isWindowsOwn(own, never), true);
  const ill = asked([refused]);
  assert.equal(await ill.watermark.isWindowsOwn(own, never), false);
  assert.equal(ill.watermark.trouble?.code, 'login-failed');
});

test('a login that was refused is no window’s own, also where it is good again when Genesys is asked', async () => {
  const back = asked([new Date()]);
  assert.equal(await back.watermark.isWindowsOwn(refused, never), false);
  assert.equal(back.watermark.trouble, undefined);
});

test('a contract that tells no availability: until what is over by any clock, and what may go well later is the window’s own', async () => {
  const { watermark, clock } = asked([undefined]);
  assert.equal(await watermark.isWindowsOwn(new GenesysError('server-error', 'No.'), never), true);
  assert.equal(watermark.untilMs, clock.nowMs() - 300_000);
  assert.equal(await watermark.isWindowsOwn(refused, never), false);
  assert.equal(watermark.trouble, refused);
  const away = asked([refused]);
  assert.equal(await away.watermark.isWindowsOwn(new GenesysError('server-error', 'No.'), never), false);
});
