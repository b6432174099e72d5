import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunPlan } from '@genesys-kafka/ledger';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS, type Settings } from '../settings.ts';
import { assertFollowable, assertSamePlan, followOf, laneOf, type Follow } from './follow.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
const NOW_MS = START_MS + DAY_MS;

function follow(windows: Partial<Settings['windows']> = {}, query: Readonly<Record<string, unknown>> = {}): Follow {
  const settings = loadSettings(SETTINGS, { env: {} });
  return followOf({ ...settings, windows: { ...settings.windows, fromMs: START_MS, ...windows } }, query, NOW_MS);
}

test('without windows.from nothing can be followed, and one that is to come, or a size that divides no day, is said', () => {
  assert.throws(() => followOf(loadSettings(SETTINGS, { env: {} }), {}, NOW_MS), /windows\.from/);
  assert.throws(() => follow({ fromMs: NOW_MS + 1 }), { code: 'follow-from', scope: 'usage' });
  for (const hours of [5, 7, 48]) {
    assert.throws(() => follow({ sizeMs: hours * 3_600_000 }), { code: 'follow-size', scope: 'usage' });
  }
  for (const hours of [1, 6, 8, 24]) follow({ sizeMs: hours * 3_600_000 });
});

test('what the ledger was begun with cannot change: each change is named, and other settings are free', () => {
  const line: RunPlan = { ...follow().identity, lane: 3, updatedAt: '' };
  assertSamePlan(follow({ retryAfterMs: 1000, rereads: [] }), [line]);
  for (const [changed, named] of [
    [follow({ fromMs: START_MS + 1000 }), /windows\.from was 2026-01-01T00:00:00.000Z and is 2026-01-01T00:00:01.000Z/],
    [follow({ sizeMs: 3_600_000 }), /windows\.size was 86400 s and is 3600 s/],
    [follow({}, { segmentFilters: [] }), /genesys\.query is another one/],
  ] as const) {
    assert.throws(() => assertSamePlan(changed, [line]), { code: 'other-plan', scope: 'usage', message: named });
  }
  assertSamePlan(follow({ sizeMs: 3_600_000 }), [{ ...line, connector: 'another' }]);
});

test('more windows than anybody means are refused at the first start, and never later', () => {
  const years = follow({ fromMs: Date.UTC(1990, 0, 1), sizeMs: 3_600_000 });
  assert.throws(() => assertFollowable(years, [], NOW_MS), {
    code: 'follow-windows',
    scope: 'usage',
    message: /From 1990-01-01T00:00:00.000Z to now there are 3\d{5} windows of 3600 s/,
  });
  const line: RunPlan = { ...years.identity, lane: 3, updatedAt: '' };
  assertFollowable(years, [line], NOW_MS);
  assert.throws(() => assertFollowable(years, [{ ...line, connector: 'another' }], NOW_MS), { code: 'follow-windows' });
  assertFollowable(follow({ fromMs: Date.UTC(1990, 0, 1), sizeMs: DAY_MS }), [], NOW_MS);
  assert.throws(() => assertFollowable(follow(), [line], NOW_MS), { code: 'other-plan' });
});

test('a day has one lane, days take turns, and connectors begin at lanes of their own', () => {
  const lane = laneOf('default');
  const days = Array.from({ length: 24 }, (_, day) => START_MS + day * DAY_MS);
  assert.equal(new Set(days.slice(0, 12).map(lane)).size, 12);
  assert.deepEqual(days.slice(12).map(lane), days.slice(0, 12).map(lane));
  assert.equal(lane(START_MS), lane(START_MS + DAY_MS - 1));
  assert.equal(new Set(['a', 'b', 'c', 'd', 'e'].map((connector) => laneOf(connector)(START_MS))).size > 1, true);
});
