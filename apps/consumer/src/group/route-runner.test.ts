import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { KafkaError, type GroupHandler, type KafkaClient } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { createLogger } from '@genesys-kafka/runtime';
import { keyedFlows } from './partition-flow.ts';
import { RouteRunner } from './route-runner.ts';

const silent = createLogger({ name: 'test', level: 'silent', pretty: false, destination: new Writable() });

/** `client`: what of a client the runner asks for in the test. */
function runnerOf(client: object, clock: ManualClock, log = silent): RouteRunner {
  return new RouteRunner({
    route: 'all',
    groupId: 'g',
    topics: ['t'],
    flowOf: keyedFlows({ work: async () => undefined, limits: { maxRecords: 1, maxBytes: 1 } }),
    maxFetchBytes: 1,
    client: client as KafkaClient,
    settings: {
      commitEveryMs: 1,
      commitRecords: 1,
      revokeGraceMs: 1,
      stopGraceMs: 1,
      lastCommitMs: 60_000,
    },
    sessionTimeoutMs: 30_000,
    acceptGap: false,
    isNew: false,
    startOf: () => undefined,
    isPaused: () => false,
    commitNote: '',
    onJoin: () => undefined,
    onCommitFailure: () => undefined,
    log,
    clock,
  });
}

test('a broker that has just started is waited out quietly, then with a warning without a stack; the end is thrown', async () => {
  const clock = new ManualClock();
  const lines: { level: string; msg: string; atMs: number; code?: string; err?: unknown }[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push({ ...(JSON.parse(chunk.toString()) as (typeof lines)[number]), atMs: clock.monotonicMs() - begunMs });
      done();
    },
  });
  const begunMs = clock.monotonicMs();
  let failure = new KafkaError('broker-not-ready', 'Kafka could not read the offsets of the group.');
  const client = { admin: { offsets: async () => Promise.reject(failure) } };
  const log = createLogger({ name: 'test', level: 'debug', pretty: false, destination });
  const runner = runnerOf(client, clock, log);
  const running = runner.run(new AbortController().signal);
  running.catch(() => undefined);
  await clock.advance(40_000);
  const early = lines.filter(({ atMs }) => atMs < 10_000);
  const late = lines.filter(({ atMs }) => atMs >= 10_000);
  assert.ok(early.length >= 2 && early.every(({ level }) => level === 'debug'), JSON.stringify(lines));
  assert.ok(late.length >= 1 && late.every(({ level }) => level === 'warn'), JSON.stringify(lines));
  assert.ok(lines.every(({ code, err }) => code === 'broker-not-ready' && err === undefined));
  failure = new KafkaError('authorization-failed', 'no');
  await clock.advance(120_000);
  await assert.rejects(running, { code: 'authorization-failed' });
});

test('a topic that a restarted broker does not know is no verdict in mid-run; one that is gone ends the run', async () => {
  const clock = new ManualClock();
  let [joins, isGone] = [0, false];
  const missing = new KafkaError('topic-missing', 'Topic t is not there.');
  const client = {
    admin: {
      offsets: async () => (isGone ? Promise.reject(missing) : [{ partition: 0, first: 0n, end: 0n }]),
      groupCommits: async () => new Map(),
      topicId: async () => undefined,
    },
    groupConsumer: () => ({
      start: async (handler: GroupHandler) => {
        joins += 1;
        handler.onAssigned?.([]);
        handler.onCrash(missing);
      },
      stop: async () => undefined,
    }),
  };
  const runner = runnerOf(client, clock);
  const running = runner.run(new AbortController().signal);
  running.catch(() => undefined);
  await clock.advance(5000);
  assert.ok(joins >= 2);
  isGone = true;
  await clock.advance(120_000);
  await assert.rejects(running, { code: 'topic-missing' });
});

test('records that are gone are told before the group is joined: no partition is taken from another member for it', async () => {
  let joins = 0;
  const client = {
    admin: {
      offsets: async () => [{ partition: 0, first: 5n, end: 9n }],
      groupCommits: async () => new Map([[0, { offset: 3n, note: '' }]]),
      topicId: async () => undefined,
    },
    groupConsumer: () => ({ start: async () => void (joins += 1), stop: async () => undefined }),
  };
  const abort = new AbortController();
  const stop = setTimeout(() => abort.abort(new Error('it went on')), 60_000);
  const running = runnerOf(client, new ManualClock()).run(abort.signal);
  await assert.rejects(running, { code: 'records-gone' });
  clearTimeout(stop);
  assert.equal(joins, 0);
});

test('a member that no broker has answered for longer than its session lasts is not ready', async () => {
  const member = {
    silentMs: 0,
    start: async (handler: GroupHandler) => handler.onAssigned?.([]),
    stop: async () => undefined,
  };
  const client = {
    admin: {
      offsets: async () => [{ partition: 0, first: 0n, end: 0n }],
      groupCommits: async () => new Map(),
      topicId: async () => undefined,
    },
    groupConsumer: () => member,
  };
  const clock = new ManualClock();
  const runner = runnerOf(client, clock);
  assert.equal(runner.notReady, 'route all has not joined its group');
  const end = new AbortController();
  const running = runner.run(end.signal);
  await clock.advance(1000);
  const told = [0, 30_000, 45_900, 10].map((silentMs) => {
    member.silentMs = silentMs;
    return runner.notReady;
  });
  assert.deepEqual(told, [undefined, undefined, 'no broker has answered the group of route all for 45 s', undefined]);
  end.abort(new Error('the end'));
  await running;
});

/** How long a route waits after each of `memberships`, which end after some time, with or without having had a part. */
async function waitsAfter(memberships: readonly { readonly hasPart: boolean; readonly heldMs: number }[]) {
  const clock = new ManualClock();
  const away = new KafkaError('broker-unreachable', 'The broker is away.');
  const waits: number[] = [];
  let [begun, endedMs] = [0, 0];
  const client = {
    admin: {
      offsets: async () => [{ partition: 0, first: 0n, end: 0n }],
      groupCommits: async () => new Map(),
      topicId: async () => undefined,
    },
    groupConsumer: () => ({
      start: async (handler: GroupHandler) => {
        if (begun > 0) waits.push(clock.monotonicMs() - endedMs);
        const { hasPart, heldMs } = memberships[begun++] ?? { hasPart: true, heldMs: Infinity };
        if (hasPart) handler.onAssigned?.([]);
        await clock.sleep(heldMs);
        endedMs = clock.monotonicMs();
        if (hasPart) handler.onCrash(away);
        else throw away;
      },
      stop: async () => undefined,
    }),
  };
  const stop = new AbortController();
  const running = runnerOf(client, clock).run(stop.signal);
  await clock.advance(memberships.reduce((sum, { heldMs }) => sum + heldMs + 60_000, 0));
  stop.abort();
  await running;
  assert.equal(waits.length, memberships.length);
  return waits;
}

test('a rolling restart that ends one membership after the other: each begins again in a second or two', async () => {
  const waits = await waitsAfter(new Array(6).fill({ hasPart: true, heldMs: 40_000 }));
  assert.ok(Math.max(...waits) <= 2000, waits.join());
});

test('memberships that end as soon as they begin, and joinings in vain: never again at once, and no wait outlasts a restart', async () => {
  for (const failing of [
    { hasPart: true, heldMs: 0 },
    { hasPart: false, heldMs: 60_000 },
  ]) {
    const waits = await waitsAfter(new Array(8).fill(failing));
    assert.ok(Math.min(...waits) >= 1000 && Math.max(...waits) <= 16_000, waits.join());
    assert.ok(Math.min(...waits.slice(4)) >= 15_000, waits.join());
  }
});
