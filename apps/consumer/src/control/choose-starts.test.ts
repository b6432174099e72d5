import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import type { RouteStart, RoutingSettings } from '@genesys-kafka/routing';
import { createLogger } from '@genesys-kafka/runtime';
import { chooseStarts } from './choose-starts.ts';
import type { ControlEntry, StartEntry } from './control-entry.ts';

const log = createLogger({ name: 'test', level: 'silent', pretty: false, destination: new Writable() });

function setUp(committed: readonly string[] = [], recorded: Readonly<Record<string, StartEntry>> = {}) {
  const written: ControlEntry[] = [];
  /** What was asked of the topic, in order. */
  const asked: string[] = [];
  const clock = new ManualClock();
  const starts = new Map(Object.entries(recorded));
  const options = {
    admin: {
      offsets: async () => [{ partition: 0, first: 3n, end: 40n }],
      offsetsAt: async (_: string, atMs: number) => new Map([[0, BigInt(atMs)]]),
      groupCommits: async (groupId: string) =>
        new Map(committed.includes(groupId) ? [[0, { offset: 5n, note: '' }] as const] : []),
    },
    controls: {
      startOf: (groupId: string) => starts.get(groupId),
      write: async (entry: ControlEntry) => {
        asked.push('write');
        written.push(entry);
      },
      catchUp: async () => void asked.push('catchUp'),
    },
    mainTopic: 't',
    log,
    clock,
  };
  const choose = async (from?: RouteStart) =>
    chooseStarts(
      { connector: 'c', kafka: { topicPrefix: 'g.' }, routes: [{ name: 'new', from }] } as unknown as RoutingSettings,
      options,
    );
  return { written, asked, choose, clock };
}

test('a new route begins at the end, or at a moment, and that is recorded before it begins', async () => {
  const latest = setUp();
  assert.deepEqual([...(await latest.choose('latest'))], ['new']);
  const moment = setUp();
  await moment.choose(17);
  const offsets = [latest, moment].map(({ written }) =>
    written.map((entry) => (entry.kind === 'start' ? [entry.groupId, entry.start.offsets.get(0)] : [])),
  );
  assert.deepEqual(offsets, [[['g.c.new', 40n]], [['g.c.new', 17n]]]);
  const told = [latest, moment].flatMap(({ written }) => written.map((entry) => entry.kind === 'start' && entry.start));
  assert.deepEqual(
    told.map((start) => start && [start.from, start.at]),
    [
      ['latest', '2026-01-01T00:00:00.000Z'],
      ['1970-01-01T00:00:00.017Z', '2026-01-01T00:00:00.000Z'],
    ],
  );
  assert.deepEqual(latest.asked, ['write', 'catchUp'], 'another process may have been faster');
});

test('a moment that has not come is refused: records from before it would be delivered; once it has come it is one', async () => {
  const { written, choose, clock } = setUp();
  const from = clock.nowMs() + 1000;
  await assert.rejects(choose(from), { code: 'route-start-ahead', scope: 'usage' });
  assert.deepEqual(written, []);
  await clock.advance(1000);
  assert.deepEqual([...(await choose(from))], ['new']);
});

test('it counts once: not for a group with offsets, nor for one whose start is recorded, nor for the earliest', async () => {
  const start: StartEntry = { from: 'latest', at: '', offsets: new Map([[0, 7n]]) };
  for (const { asked, choose } of [setUp(['g.c.new']), setUp([], { 'g.c.new': start })]) {
    assert.deepEqual([...(await choose('latest'))], []);
    assert.deepEqual(asked, []);
  }
  for (const from of ['earliest', undefined] as const) {
    const { asked, choose } = setUp();
    assert.deepEqual([...(await choose(from))], []);
    assert.deepEqual(asked, []);
  }
});
