import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumedRecord, GroupCommit, PartitionSlice, ReadOptions, TopicPartition } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { formatRetryHeaders } from '@genesys-kafka/topics';
import { drainLines, drainReport, isDrained, type ReportedRoute } from './drain-report.ts';

const START_MS = Date.UTC(2026, 0, 1);
const SLICE = 4;

/**
 * A partition as a text: `r` is a record, `m` a marker, and `a` or `b` a retry of that route, which is due a minute after it
 * came. One comes each second. `from`: what the log has lost at its front.
 */
interface Log {
  readonly log: string;
  readonly from?: number;
}

function recordsOf(topic: string, { log }: Log): ConsumedRecord[] {
  return Array.from(log).flatMap((one, at): ConsumedRecord[] => {
    const timestampMs = START_MS + at * 1000;
    const origin = { topic: 'main', partition: 0, offset: 0n };
    const retry = {
      ...{ route: one, group: one, attempt: 1, cause: 'x', origin, recordVersion: 0n },
      notBeforeMs: timestampMs + 60_000,
    };
    const headers = Object.entries(topic === 'main' ? {} : formatRetryHeaders(retry));
    const buffers = Object.fromEntries(headers.map(([name, text]) => [name, Buffer.from(text)]));
    const place = { topic, partition: 0, offset: BigInt(at), timestampMs };
    return one === 'm' ? [] : [{ ...place, key: null, value: null, headers: one === 'x' ? {} : buffers }];
  });
}

async function report(
  logs: Readonly<Record<string, Log>>,
  commits: Readonly<Record<string, Readonly<Record<string, number | GroupCommit>>>>,
  routes: readonly Partial<ReportedRoute>[] = [{ route: 'a' }],
) {
  let reads = 0;
  const topics = Object.keys(logs);
  const client = {
    async *read({ topic }: TopicPartition, { from }: ReadOptions): AsyncGenerator<PartitionSlice> {
      reads += 1;
      const log = logs[topic]!;
      const end = BigInt(log.log.length);
      for (let at = Number(from); ; at += SLICE) {
        const next = Math.min(at + SLICE, log.log.length);
        const records = recordsOf(topic, log).filter(({ offset }) => offset >= at && offset < next);
        yield await Promise.resolve({ records, nextOffset: BigInt(next), lastStableOffset: end, highWatermark: end });
      }
    },
    admin: {
      offsets: async (topic: string) => {
        const { log, from = 0 } = logs[topic]!;
        return [{ partition: 0, first: BigInt(from), end: BigInt(log.length) }];
      },
      groupCommits: async (group: string, topic: string) => {
        const commit = commits[topic]?.[group];
        if (commit === undefined) return new Map<number, GroupCommit>();
        return new Map([[0, typeof commit === 'number' ? { offset: BigInt(commit), note: '' } : commit]]);
      },
      topicId: async () => 'now',
    },
  };
  const reported = routes.map((one): ReportedRoute => ({
    ...{ route: 'a', groupId: one.route ?? 'a', paused: false, startOf: () => undefined },
    owns: ({ headers }) => headers.route?.toString() === one.route,
    ...one,
  }));
  const clock = new ManualClock(START_MS + 100_000);
  const signal = new AbortController().signal;
  const found = await drainReport({ client, routes: reported, topics, clock, signal });
  return { ...found, lines: drainLines(found), reads };
}

test('what a group has not passed is left, records and no markers, with the age of the oldest', async () => {
  const { records, routes, lines } = await report({ main: { log: 'rrrmrrmrmm' } }, { main: { a: 4, b: 10 } }, [
    { route: 'a', paused: true },
    { route: 'b' },
  ]);
  assert.equal(records, 3);
  const left = { topic: 'main', partition: 0, tier: 0, position: 4, end: 10, records: 3, isExact: true };
  assert.deepEqual(routes, [
    {
      route: 'a',
      records: 3,
      oldestSeconds: 96,
      paused: true,
      begun: true,
      left: [{ ...left, oldest: '2026-01-01T00:00:04.000Z' }],
    },
    { route: 'b', records: 0, oldestSeconds: 0, paused: false, begun: true, left: [] },
  ]);
  assert.deepEqual(lines, [
    'a: 3 records left, the oldest for 96 s, paused',
    '  main 0: 3 from 4 to 10',
    'b: nothing left',
    '3 records left in all.',
  ]);
});

test('markers alone are nothing left, and where all groups are at the end nothing is read', async () => {
  const markers = await report({ main: { log: 'rrmmmmmm' } }, { main: { a: 2 } });
  assert.deepEqual(
    [markers.records, markers.routes[0]!.left, markers.lines.at(-1)],
    [0, [], 'All routes are drained.'],
  );
  const done = await report({ main: { log: 'rr' } }, { main: { a: 2 } });
  assert.deepEqual([done.records, done.reads], [0, 0]);
});

test('a group without a commit begins where its route does, or at the log’s start; what the log has lost is not left', async () => {
  const log = { log: 'rrrrrrrr', from: 2 };
  const positions = async (commit: number | GroupCommit | undefined, start?: bigint) => {
    const commits = commit === undefined ? {} : { main: { a: commit } };
    const { routes } = await report({ main: log }, commits, [{ route: 'a', startOf: () => start }]);
    return [routes[0]!.left[0]!.position, routes[0]!.records];
  };
  assert.deepEqual(await positions(undefined), [2, 6]);
  assert.deepEqual(await positions(undefined, 5n), [5, 3]);
  assert.deepEqual(await positions(undefined, 1n), [2, 6]);
  assert.deepEqual(await positions(6, 5n), [6, 2]);
  assert.deepEqual(await positions(1, 5n), [2, 6]);
  // Committed in another topic of that name.
  assert.deepEqual(await positions({ offset: 7n, note: 'topic=before ' }), [2, 6]);
  assert.deepEqual(await positions({ offset: 7n, note: 'topic=now ' }), [7, 1]);
});

test('what was deleted before a group read it is told, and nothing is drained then', async () => {
  const { records, routes, lines } = await report(
    { main: { log: 'rr' }, 'retry-1': { log: 'aaaaa', from: 5 } },
    { main: { a: 2 }, 'retry-1': { a: 1 } },
  );
  assert.equal(records, 0);
  assert.deepEqual(routes[0]!.left, [
    { topic: 'retry-1', partition: 0, tier: 1, position: 5, end: 5, records: 0, isExact: true, deletedUnread: 4 },
  ]);
  assert.deepEqual(lines, [
    'a: nothing left',
    '  retry-1 0: 0 from 5 to 5, and 4 offsets before it were deleted unread',
    '0 records left in all.',
  ]);
  assert.equal(isDrained({ routes }), false);
});

test('of retries a route has its own, and is told when the first of them is due; what nobody can read is nobody’s', async () => {
  const { routes, records, lines } = await report(
    { main: { log: 'r' }, 'retry-1': { log: 'abxba' }, 'retry-2': { log: 'b' } },
    { main: { a: 1, b: 1 }, 'retry-1': { a: 1 } },
    [{ route: 'a' }, { route: 'b' }],
  );
  assert.equal(records, 4);
  assert.deepEqual(
    routes.map(({ route, left }) => [
      route,
      left.map(({ topic, tier, records: here, due }) => [topic, tier, here, due]),
    ]),
    [
      ['a', [['retry-1', 1, 1, '2026-01-01T00:01:04.000Z']]],
      [
        'b',
        [
          ['retry-1', 1, 2, '2026-01-01T00:01:01.000Z'],
          ['retry-2', 2, 1, '2026-01-01T00:01:00.000Z'],
        ],
      ],
    ],
  );
  assert.equal(routes[1]!.oldestSeconds, 100);
  assert.equal(lines[1], '  retry-1 0: 1 from 1 to 5, due 2026-01-01T00:01:04.000Z');
  // Headers that are no retry's have no time when they are due.
  const odd = await report({ main: { log: '' }, 'retry-1': { log: 'xx' } }, {}, [{ route: 'a', owns: () => true }]);
  assert.deepEqual(odd.routes[0]!.left[0]!.due, undefined);
  assert.equal(odd.records, 2);
});

test('of a long log the beginning is read and the rest reckoned from it, for each route from where it stands', async () => {
  // Half of it are markers; 32 slices of 4 are read.
  const { routes, lines } = await report({ main: { log: 'rm'.repeat(100) } }, { main: { a: 0, b: 100, c: 150 } }, [
    { route: 'a' },
    { route: 'b' },
    { route: 'c' },
  ]);
  assert.deepEqual(
    routes.map(({ left }) => left.map(({ records, isExact, end }) => [records, isExact, end])),
    // Nothing was read of the last one's: each offset counts.
    [[[100, false, 200]], [[50, false, 200]], [[50, false, 200]]],
  );
  assert.equal(lines[1], '  main 0: about 100 from 0 to 200');
});
