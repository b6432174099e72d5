import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freePorts } from '@genesys-kafka/testing';
import { samples, startBus, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { Target } from '../../fixtures/target.ts';
import { until } from '../../fixtures/until.ts';
import type { DrainReport } from '../control/drain-report.ts';
import type { Explanation } from './explain/explain.ts';

let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

interface Ready {
  readonly ready: boolean;
  readonly status: { readonly paused: readonly object[]; readonly circuits: readonly object[] };
}

interface Told {
  readonly before?: object;
}

/** How many records a target has taken; one may have come again. */
const arrived = ({ accepted }: Target) => new Set(accepted.map(({ idempotencyKey }) => idempotencyKey)).size;

test('a paused route keeps its membership and moves no offset, over a restart too; resumed, it delivers everything once', async () => {
  await using area = await bus.area();
  await using crm = await Target.listen();
  await using lake = await Target.listen();
  const [port] = await freePorts(1);
  const config = area.config({
    routes: [
      { name: 'voice', sink: 'crm' },
      { name: 'everything', sink: 'lake' },
    ],
    sinks: { crm: { type: 'http', url: crm.url }, lake: { type: 'http', url: lake.url } },
    http: { port },
  });
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: answer.status, body: (await answer.json()) as Ready };
  };
  const isReady = async () => (await ready().catch(() => undefined))?.status === 200;
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(new RegExp(`^genesys_kafka_${name} (.*)$`, 'm').exec(text)?.[1]);
  };
  const commits = async () =>
    [...(await area.client.admin.groupCommits(`${area.prefix}test.voice`, area.main))].map(([at, { offset }]) => [
      at,
      offset,
    ]);

  await area.publish(samples(60, 20));
  {
    await using consumer = await ConsumerProcess.start(config, 'run', ...quick);
    await until(() => arrived(crm) === 60 && arrived(lake) === 60, 'the first records');
    await until(isReady, 'readiness');
    await area.committedToTheEnd('voice');
    await runConsumer(config, ['pause', 'voice', '--reason', 'crm moves', '--by', 'ann']);
    await until(() => consumer.stderr.includes('paused by hand'), 'the running consumer follows');
    await area.publish(samples(60, 20), 'job-2');
    await until(() => arrived(lake) === 120, 'the other route');
    const standing = await commits();
    const { status, body } = await ready();
    assert.equal(status, 200, 'a pause is on purpose');
    assert.deepEqual(
      body.status.paused.map((one) => ({ ...one, since: '' })),
      [{ route: 'voice', since: '', by: 'ann', reason: 'crm moves' }],
    );
    assert.equal(await metric('consumer_route_paused{route="voice"}'), 1);
    // Unknown while a broker takes its time, and more while what was delivered is on its way back.
    await until(async () => (await metric('consumer_lag_records{route="voice"}')) === 60, 'records, and no markers');
    await until(async () => (await metric('consumer_lag_seconds{route="voice"}')) > 0, 'the age of the oldest');
    await until(async () => (await metric('consumer_lag_records{route="everything"}')) === 0, 'no lag');
    // What was delivered and not committed would be left as well.
    for (const route of ['everything', 'unrouted']) await area.committedToTheEnd(route);
    consumer.signal('SIGKILL');
    await consumer.ended;
    assert.deepEqual(await commits(), standing);
  }
  // Who comes second learns whose word was replaced.
  const second = await runConsumer(config, ['pause', 'voice', '--by', 'bob']);
  assert.deepEqual(
    { ...(JSON.parse(second.stdout) as Told).before, at: '' },
    { at: '', by: 'ann', reason: 'crm moves' },
  );
  const { stdout } = await runConsumer(config, ['drain-report'], 3);
  const report = JSON.parse(stdout) as DrainReport;
  assert.equal(report.records, 60);
  assert.deepEqual(
    report.routes.map(({ route, records, paused }) => [route, records, paused]),
    [
      ['voice', 60, true],
      ['everything', 0, false],
      ['unrouted', 0, false],
    ],
  );
  assert.match((await runConsumer(config, ['run', '--drain', ...steady], 1)).stderr, /route-paused/);
  assert.match(
    (await runConsumer(config, ['explain', 'c-1'])).stdout,
    /Route voice is paused since .*consumer resume voice/,
  );

  await using again = await ConsumerProcess.start(config, 'run', ...steady);
  await until(isReady, 'readiness after the restart');
  await until(async () => (await metric('consumer_lag_records{route="voice"}')) === 60, 'the lag of a paused route');
  assert.equal(arrived(crm), 60, 'not one record while it is paused');
  const resumed = await runConsumer(config, ['resume', 'voice']);
  assert.deepEqual({ ...(JSON.parse(resumed.stdout) as Told).before, at: '' }, { at: '', by: 'bob' });
  await until(() => arrived(crm) === 120, 'the rest');
  assert.equal(crm.accepted.filter(({ idempotencyKey }) => idempotencyKey.startsWith('job-2')).length, 60);
  again.signal('SIGUSR2');
  await until(() => again.stderr.includes('"level":"debug"'), 'debug lines after SIGUSR2');
  again.signal('SIGTERM');
  assert.equal((await again.ended).status, 0);
  await runConsumer(config, ['drain-report']);
  assert.match((await runConsumer(config, ['pause', 'vioce'], 2)).stderr, /there are voice, everything, unrouted/);
});

test('a route that begins at the latest record delivers none of the earlier ones, and each of those that come after a first start', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const config = (from: string) =>
    area.config({ routes: [{ name: 'new', from, sink: 'crm' }], sinks: { crm: { type: 'http', url: target.url } } });
  await area.publish(samples(30, 10), 'job-1');
  const left = async (status: number) =>
    (JSON.parse((await runConsumer(config('latest'), ['drain-report'], status)).stdout) as DrainReport).routes.map(
      ({ route, records, begun }) => [route, records, begun],
    );
  // What is not picked by any rule yet is looked at by `unrouted`, which begins at the start.
  assert.deepEqual(await left(3), [
    ['new', 0, false],
    ['unrouted', 30, false],
  ]);
  {
    // It begins, and dies before it has committed anything.
    await using consumer = await ConsumerProcess.start(
      config('latest'),
      'run',
      '--session-timeout',
      '6s',
      '--commit-every',
      '60s',
    );
    await until(() => consumer.stderr.includes('a new route begins here'), 'the record of where it begins');
    consumer.signal('SIGKILL');
    await consumer.ended;
  }
  await area.publish(samples(20, 10), 'job-2');
  await runConsumer(config('latest'), ['run', '--drain', ...steady]);
  assert.deepEqual(await left(0), [
    ['new', 0, true],
    ['unrouted', 0, true],
  ]);
  const { versions } = JSON.parse((await runConsumer(config('latest'), ['explain', 'c-1'])).stdout) as Explanation;
  assert.deepEqual(
    versions.map(({ origin, routes }) => [origin.sourceId, routes[0]!.state]),
    [
      ...Array.from({ length: 3 }, () => ['job-1', 'not-picked']),
      ...Array.from({ length: 2 }, () => ['job-2', 'delivered']),
    ],
  );
  assert.deepEqual(
    target.accepted.map(({ idempotencyKey }) => idempotencyKey.startsWith('job-2')),
    Array<boolean>(20).fill(true),
  );
});

test('retries that wait are left in their tier, each at its own route, with the time when they are due', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  await area.publish(samples(12, 12));
  target.answer = ({ conversationId }) => ({ status: conversationId === 'c-3' ? 503 : 200 });
  const config = area.config({
    routes: [{ name: 'all', sink: 'crm' }],
    sinks: { crm: { type: 'http', url: target.url, breaker: { over: 100 } } },
    retry: { tiers: ['10m'] },
  });
  await using consumer = await ConsumerProcess.start(config, 'run', ...steady);
  await until(() => target.seen.length === 12, 'all deliveries');
  consumer.signal('SIGTERM');
  await consumer.ended;
  const { routes } = JSON.parse((await runConsumer(config, ['drain-report'], 3)).stdout) as DrainReport;
  const { records, left } = routes[0]!;
  assert.equal(records, 1);
  assert.deepEqual([left.length, left[0]!.tier, left[0]!.topic], [1, 1, `${area.main}.retry-1`]);
  assert.ok(Date.parse(left[0]!.due!) - Date.parse(left[0]!.oldest!) > 590_000);
});

test('a target that takes 100 requests a second and answers 429 to more: few 429; how much of the 100 is a law over a model clock', async () => {
  await using area = await bus.area();
  await using target = await Target.listen();
  const perSecond = 100;
  await area.publish(samples(1200, 600));
  let taken: number[] = [];
  const answers: { readonly atMs: number; readonly isTaken: boolean }[] = [];
  target.answer = () => {
    const atMs = performance.now();
    taken = taken.filter((one) => one > atMs - 1000);
    const isTaken = taken.length < perSecond;
    if (isTaken) taken.push(atMs);
    answers.push({ atMs, isTaken });
    return { status: isTaken ? 200 : 429 };
  };
  const config = area.config({
    // However often one of them is refused: what is told of is all of them.
    routes: [{ name: 'all', sink: 'crm', retry: { attempts: 100 } }],
    sinks: { crm: { type: 'http', url: target.url, rate: { max: 1000, per: '1s' } } },
  });
  await using consumer = await ConsumerProcess.start(config, 'run', ...steady);
  await until(() => arrived(target) === 1200, 'all records');
  consumer.signal('SIGTERM');
  await consumer.ended;
  // The first seconds are those in which it learns.
  const fromMs = answers[0]!.atMs + 4000;
  const toMs = answers.at(-1)!.atMs - 1000;
  const settled = answers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  const refused = settled.filter(({ isTaken }) => !isTaken).length / settled.length;
  const throughput = (settled.filter(({ isTaken }) => isTaken).length * 1000) / (toMs - fromMs);
  console.log(`429: ${(refused * 100).toFixed(1)} %, taken ${throughput.toFixed(1)} of ${perSecond} a second`);
  assert.ok(refused < 0.05, `${refused} of the answers are 429`);
});
