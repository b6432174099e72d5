import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  halvesOf,
  inTurn,
  nextTryMs,
  planWork,
  windowsUntil,
  type FollowPlan,
  type WindowFacts,
} from './follow-plan.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1);
const RETRY_AFTER_MS = 10 * MINUTE_MS;
const iso = (ms: number) => new Date(ms).toISOString();

const PLAN = fc.record({
  fromMs: fc.integer({ min: 0, max: 3 * DAY_MS }).map((ms) => START_MS + ms),
  sizeMs: fc.constantFrom(30 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS),
  rereads: fc.array(
    fc.record({
      ageMs: fc.integer({ min: HOUR_MS, max: 10 * DAY_MS }),
      everyMs: fc.integer({ min: 1000, max: 2 * DAY_MS }),
    }),
    { maxLength: 3 },
  ),
});

const facts = (availableMs: number, nowMs: number): fc.Arbitrary<WindowFacts> =>
  fc
    .record({
      state: fc.constantFrom('planned', 'submitted', 'publishing', 'done', 'failed', 'split'),
      readAgoMs: fc.option(fc.integer({ min: 0, max: 5 * DAY_MS })),
      nextTryInMs: fc.integer({ min: -DAY_MS, max: DAY_MS }),
      count: fc.integer({ min: 1, max: 10 }),
    })
    .map(({ state, readAgoMs, nextTryInMs, count }): WindowFacts => {
      const until = iso(availableMs - (readAgoMs ?? 0));
      const wasRead = state === 'done' || readAgoMs !== null;
      const failures = state === 'failed' ? { failures: { count, nextTry: iso(nowMs + nextTryInMs) } } : {};
      return { state, ...(wasRead ? { lastReading: { until } } : {}), ...failures };
    });

/** A plan, a moment, and anything at all that a ledger may hold of its windows and of their halves. */
const CASE = PLAN.chain((plan) =>
  fc.integer({ min: 0, max: 8 * DAY_MS }).chain((aheadMs) => {
    const atMs = plan.fromMs + aheadMs;
    const now = { availableMs: atMs, nowMs: atMs + HOUR_MS, retryAfterMs: RETRY_AFTER_MS };
    const whole = [...windowsUntil(plan, now.availableMs, new Map())];
    const halves = whole.flatMap((window) => halvesOf(window) ?? []);
    return fc
      .array(fc.option(facts(now.availableMs, now.nowMs)), {
        minLength: whole.length + halves.length,
        maxLength: whole.length + halves.length,
      })
      .map((all) => {
        const known = new Map<string, WindowFacts>();
        for (const [index, window] of [...whole, ...halves].entries()) {
          const one = all[index];
          if (one) known.set(window.id, one);
        }
        return { plan, now, known };
      });
  }),
);

test('no interval is skipped: the windows lie side by side from the first moment on, whatever was split', () => {
  fc.assert(
    fc.property(CASE, ({ plan, now, known }) => {
      let atMs = plan.fromMs;
      for (const { from, to } of windowsUntil(plan, now.availableMs, known)) {
        assert.equal(from.getTime(), atMs);
        assert(to.getTime() > atMs);
        atMs = to.getTime();
      }
      // What is left is less than a window.
      const nextMs = (Math.floor(atMs / plan.sizeMs) + 1) * plan.sizeMs;
      assert(atMs <= Math.max(now.availableMs, plan.fromMs) && nextMs > now.availableMs);
    }),
  );
});

test('each window that is over is read, waits for its next try, or was read: none past the availability', () => {
  fc.assert(
    fc.property(CASE, ({ plan, now, known }) => {
      const { due, nextRetryMs } = planWork(plan, known, now);
      const dueIds = new Set(due.map(({ window }) => window.id));
      assert.equal(dueIds.size, due.length, 'a window is due twice');
      for (const window of windowsUntil(plan, now.availableMs, known)) {
        assert(window.to.getTime() <= now.availableMs);
        const one = known.get(window.id);
        const inMs = one?.state === 'failed' ? Date.parse(one.failures!.nextTry) - now.nowMs : 0;
        // A wait that is longer than it can have been was written by a clock that was ahead.
        const waits = inMs > 0 && inMs <= nextTryMs(0, one!.failures!.count, RETRY_AFTER_MS);
        if (one?.state !== 'done') assert.equal(dueIds.has(window.id), !waits);
        if (waits) assert(nextRetryMs !== undefined && nextRetryMs <= Date.parse(one!.failures!.nextTry));
      }
    }),
  );
});

test('each entry of the schedule is honoured, and nothing else is read again', () => {
  fc.assert(
    fc.property(CASE, ({ plan, now, known }) => {
      const again = new Set(
        planWork(plan, known, now)
          .due.filter(({ due }) => due === 'reread')
          .map(({ window }) => window.id),
      );
      for (const window of windowsUntil(plan, now.availableMs, known)) {
        const one = known.get(window.id);
        if (one?.state !== 'done') continue;
        const oldMs = now.availableMs - Date.parse(one.lastReading!.until);
        const isWanted = plan.rereads.some(
          ({ ageMs, everyMs }) => window.to.getTime() >= now.availableMs - ageMs && oldMs >= everyMs,
        );
        assert.equal(again.has(window.id), isWanted);
      }
    }),
  );
});

test('first readings go oldest first, before retries, and those before readings again; what failed holds up nobody', () => {
  fc.assert(
    fc.property(CASE, ({ plan, now, known }) => {
      const { due } = planWork(plan, known, now);
      const order = ['continue', 'first', 'retry', 'reread'];
      for (const [index, { due: why, window }] of due.entries()) {
        const next = due[index + 1];
        if (!next) continue;
        assert(order.indexOf(why) <= order.indexOf(next.due));
        if (why === next.due) assert(window.from < next.window.from);
      }
      const withoutFailed = new Map([...known].filter(([, { state }]) => state !== 'failed'));
      const others = (work: typeof due) =>
        work.filter(({ window }) => known.get(window.id)?.state !== 'failed').map(({ window }) => window.id);
      assert.deepEqual(others(due), others(planWork(plan, withoutFailed, now).due));
    }),
  );
});

test('first readings and retries take turns, each oldest first, and all of the work is there', () => {
  fc.assert(
    fc.property(CASE, fc.constantFrom('first', 'retry'), ({ plan, now, known }, turn) => {
      const { due } = planWork(plan, known, now);
      const turns = inTurn(due, turn);
      const of = (work: typeof due, wanted: string) => work.filter((one) => one.due === wanted);
      for (const kind of ['continue', 'first', 'retry', 'reread']) assert.deepEqual(of(turns, kind), of(due, kind));
      const firstAt = of(due, 'continue').length;
      const pairs = Math.min(of(due, 'first').length, of(due, 'retry').length);
      for (const [index, { due: why }] of turns.slice(firstAt, firstAt + 2 * pairs).entries())
        assert.equal(why === turn, index % 2 === 0);
    }),
  );
});

test('a reading that claims to know of a time to come is no reading for ever: it is done again', () => {
  const plan = { fromMs: 0, sizeMs: DAY_MS, rereads: [{ ageMs: 3 * DAY_MS, everyMs: DAY_MS }] };
  const now = { nowMs: 2 * DAY_MS, availableMs: 2 * DAY_MS, retryAfterMs: RETRY_AFTER_MS };
  const [window] = windowsUntil(plan, DAY_MS, new Map());
  const dueWith = (untilMs: number) => {
    const known = new Map([[window!.id, { state: 'done', lastReading: { until: iso(untilMs) } } as const]]);
    return planWork(plan, known, now, (startMs) => startMs === 0).due.map(({ due }) => due);
  };
  assert.deepEqual(dueWith(now.availableMs + 365 * DAY_MS), ['reread']);
  // A date that goes back and forth a little makes nothing due.
  assert.deepEqual(dueWith(now.availableMs + HOUR_MS), []);
});

test('a next try that a clock ahead of its time has written, or that is a shorter one by now, holds up nothing', () => {
  const plan: FollowPlan = { fromMs: START_MS, sizeMs: DAY_MS, rereads: [] };
  const nowMs = START_MS + 2 * DAY_MS;
  const [window] = windowsUntil(plan, START_MS + DAY_MS, new Map());
  const planned = (inMs: number, count: number) => {
    const failures = { count, nextTry: iso(nowMs + inMs) };
    const known = new Map([[window!.id, { state: 'failed', failures } as const]]);
    const now = { nowMs, availableMs: START_MS + DAY_MS, retryAfterMs: RETRY_AFTER_MS };
    const { due, nextRetryMs } = planWork(plan, known, now);
    return due.length === 1 ? 'now' : nextRetryMs! - nowMs;
  };
  assert.equal(planned(365 * DAY_MS, 1), 'now');
  assert.equal(planned(20 * MINUTE_MS, 1), 'now');
  assert.equal(planned(RETRY_AFTER_MS, 1), RETRY_AFTER_MS);
  assert.equal(planned(20 * MINUTE_MS, 2), 20 * MINUTE_MS);
});

test('only what is wanted is planned', () => {
  const plan: FollowPlan = { fromMs: START_MS, sizeMs: HOUR_MS, rereads: [] };
  const now = { availableMs: START_MS + 2 * DAY_MS, nowMs: START_MS + 3 * DAY_MS, retryAfterMs: RETRY_AFTER_MS };
  const { due } = planWork(plan, new Map(), now, (startMs) => startMs >= START_MS + DAY_MS);
  assert.deepEqual([due.length, due[0]!.window.id], [24, '2026-01-02T00:00Z/2026-01-02T01:00Z']);
});

test('a window is cut in its middle at a whole minute, down to a minute', () => {
  const window = (fromMs: number, toMs: number) => ({ from: new Date(fromMs), to: new Date(toMs), id: 'w' });
  assert.deepEqual(
    halvesOf(window(START_MS, START_MS + DAY_MS))?.map(({ id }) => id),
    ['2026-01-01T00:00Z/2026-01-01T12:00Z', '2026-01-01T12:00Z/2026-01-02T00:00Z'],
  );
  assert.equal(halvesOf(window(START_MS, START_MS + MINUTE_MS)), undefined);
  const cut = (one: { from: Date; to: Date; id: string }): number => {
    const halves = halvesOf(one);
    if (!halves) assert(one.to.getTime() - one.from.getTime() < 3 * MINUTE_MS);
    return halves ? cut(halves[0]) + cut(halves[1]) : 1;
  };
  assert.equal(cut(window(START_MS, START_MS + 64 * MINUTE_MS)), 64);
});

test('the wait for the next try doubles, up to six hours, and is never shorter than asked for', () => {
  const waits = [1, 2, 3, 6, 7, 100].map((count) => nextTryMs(0, count, 10 * MINUTE_MS) / MINUTE_MS);
  assert.deepEqual(waits, [10, 20, 40, 320, 360, 360]);
  assert.equal(nextTryMs(0, 5, DAY_MS), DAY_MS);
});
