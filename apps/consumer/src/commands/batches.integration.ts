import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BatchTarget, type Row } from '../../fixtures/batch-target.ts';
import { samples, startBus, type Area, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, quick, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { until } from '../../fixtures/until.ts';

let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const drain = ['run', '--drain', ...steady];
const batch = { records: 20, bytes: '1MiB', age: '10ms' };
const name = ({ record }: Row) => `${record.conversationId}#${record.n}`;

function configOf(area: Area, target: BatchTarget, more: object = {}): string {
  const crm = { type: 'http', url: target.url, concurrency: 2, batch, breaker: { cooldown: '500ms' }, ...more };
  return area.config({ routes: [{ name: 'all', sink: 'crm' }], sinks: { crm } });
}

async function letters(config: string) {
  const { stdout } = await runConsumer(config, ['dead-letters', 'list']);
  return (JSON.parse(stdout) as { letters: { key: string; cause: string }[] }).letters;
}

test('kill -9 amid batches, twice: nothing is skipped, each record keeps its key, no row is older than its successor', async () => {
  await using area = await bus.area();
  await using target = await BatchTarget.listen();
  await area.publish(samples(1200, 60));
  target.answer = () => ({ status: 200, afterMs: 20 });
  const config = configOf(area, target);
  for (const kill of [1, 2]) {
    await using consumer = await ConsumerProcess.start(config, 'run', ...quick);
    const before = target.taken.length;
    await until(() => target.taken.length >= before + 200, `the batches before kill ${kill}`);
    consumer.signal('SIGKILL');
    await consumer.ended;
  }
  assert.ok(new Set(target.taken.map(name)).size < 1200, 'the kills came too late to show anything');
  await runConsumer(config, drain);
  assert.equal(new Set(target.taken.map(name)).size, 1200, 'a record was skipped');
  for (const [record, rows] of Map.groupBy(target.taken, name))
    assert.equal(new Set(rows.map((row) => `${row.idempotencyKey} ${row.recordVersion}`)).size, 1, record);
  assert.equal(new Set(target.taken.map(({ idempotencyKey }) => idempotencyKey)).size, 1200);
  for (const [conversation, row] of target.table) assert.equal(row.record.n, 19, `${conversation} is the newest`);
  for (const [key, same] of Map.groupBy(target.requests, (one) => one.key))
    assert.equal(new Set(same.map(({ rows }) => rows.map(name).join())).size, 1, `${key} is of the same records`);
  assert.ok(target.requests.length < 600, `${target.requests.length} requests are hardly batches`);
  assert.deepEqual(await letters(config), []);
});

test('one record that is refused dies alone, and an outage burns nobody', async () => {
  await using area = await bus.area();
  await using target = await BatchTarget.listen();
  await area.publish(samples(600, 60));
  let outage = 12;
  target.answer = (rows) => {
    if (target.taken.length > 200 && outage > 0) {
      outage -= 1;
      return { status: 503 };
    }
    return { status: rows.some((row) => name(row) === 'c-7#4') ? 422 : 200 };
  };
  const config = configOf(area, target, { breaker: { errors: '50%', over: 4, cooldown: '300ms' } });
  const { stderr } = await runConsumer(config, drain);
  assert.match(stderr, /circuit open/);
  assert.equal(outage, 0, 'there was an outage');
  const dead = await letters(config);
  assert.deepEqual(
    dead.map(({ key, cause }) => `${key} ${cause}`),
    ['c-7 http-422'],
  );
  assert.equal(new Set(target.taken.map(name)).size, 599);
  for (const [conversation, { record }] of target.table) assert.equal(record.n, 9, conversation);
});

test('what a firewall answers 403, or the target itself 500, for its contents dies alone, one record a request or many', async () => {
  for (const [status, records] of [
    [403, 1],
    [403, 20],
    [500, 20],
  ] as const) {
    await using area = await bus.area();
    await using target = await BatchTarget.listen();
    await area.publish(samples(400, 40));
    const odd = new Set(['c-7#4', 'c-9#2']);
    target.answer = (rows) => ({ status: rows.some((row) => odd.has(name(row))) ? status : 200 });
    const more = { batch: { ...batch, records }, body: { format: 'array' } };
    const config = configOf(area, target, more);
    await runConsumer(config, drain);
    const dead = await letters(config);
    assert.deepEqual(dead.map(({ key, cause }) => `${key} ${cause}`).toSorted(), [
      `c-7 http-${status}`,
      `c-9 http-${status}`,
    ]);
    assert.equal(new Set(target.taken.map(name)).size, 398);
  }
});

test('answers item by item: some are taken, some tried again, some dead, and what is not named comes again', async () => {
  await using area = await bus.area();
  await using target = await BatchTarget.listen();
  await area.publish(samples(300, 30));
  const late = new Set<string>();
  const isFirst = (row: Row) => {
    const isNew = !late.has(name(row));
    late.add(name(row));
    return isNew;
  };
  target.answer = () => ({
    status: 207,
    itemStatus: (row) => {
      if (row.record.conversationId === 'c-3') return 422;
      if (row.record.n === 2 && isFirst(row)) return 503;
      return row.record.n === 5 && isFirst(row) ? 0 : 200;
    },
  });
  const answers = { items: '/results', key: '/id' };
  const config = configOf(area, target, { answers, breaker: { errors: '100%', cooldown: '300ms' } });
  const { stdout } = await runConsumer(config, drain);
  const { all } = (JSON.parse(stdout) as { routes: Record<string, { delivered: number; deadLettered: number }> })
    .routes;
  assert.deepEqual([all?.delivered, all?.deadLettered], [290, 10]);
  assert.equal(new Set(target.taken.map(name)).size, 290);
  assert.ok(late.size >= 58, `${late.size} were tried again`);
  const dead = await letters(config);
  assert.deepEqual([...new Set(dead.map(({ key, cause }) => `${key} ${cause}`))], ['c-3 http-422']);
});

test('answers looked for in the wrong place open the circuit, which says so; nothing dies, and the right place delivers all', async () => {
  await using area = await bus.area();
  await using target = await BatchTarget.listen();
  await area.publish(samples(60, 30));
  const config = (items: string) => configOf(area, target, { answers: { items, key: '/id' } });
  {
    await using consumer = await ConsumerProcess.start(config('/items'), 'run', ...steady);
    const openings = () => consumer.stderr.match(/"cause":"items-missing"[^\n]*correct `answers` of the sink/g) ?? [];
    await until(() => openings().length >= 3, 'the circuit with its reason, and two probes');
    consumer.signal('SIGTERM');
    assert.equal((await consumer.ended).status, 0);
  }
  assert.deepEqual(await letters(config('/results')), []);
  const { stdout } = await runConsumer(config('/results'), drain);
  const { routes } = JSON.parse(stdout) as { routes: { all: { delivered: number } } };
  assert.equal(routes.all.delivered, 60);
});

test('check tries the login of a sink, and says what is wrong with it', async () => {
  await using area = await bus.area();
  await using target = await BatchTarget.listen();
  const clientSecret = 'canary-client-secret';
  // The target answers any request, but not with a token.
  target.answer = () => ({ status: 403 });
  const auth = { type: 'oauth', tokenUrl: new URL('/token', target.url).href, clientId: 'us', clientSecret };
  const { stdout, stderr } = await runConsumer(configOf(area, target, { auth }), ['check'], 1);
  assert.match(stdout, /refused the login \(403\)/);
  assert.match(stdout, /clientSecret, scope/);
  assert.doesNotMatch(stdout + stderr, /canary/);
});

test('a record in whose place the target has another one is what its route says', async () => {
  await using area = await bus.area();
  await using target = await BatchTarget.listen();
  await area.publish(samples(40, 20));
  target.answer = (rows) => ({ status: rows.some((row) => name(row) === 'c-7#0') ? 409 : 200 });
  const routes = ['dead-letter', 'delivered'].map((conflict) => ({ name: conflict, sink: 'crm', conflict }));
  const crm = { type: 'http', url: target.url, batch };
  const config = area.config({ routes, sinks: { crm } });
  const { stdout } = await runConsumer(config, drain);
  const report = (JSON.parse(stdout) as { routes: Record<string, { delivered: number; deadLettered: number }> }).routes;
  assert.deepEqual(
    routes.map(({ name: route }) => [report[route]!.delivered, report[route]!.deadLettered]),
    [
      [39, 1],
      [40, 0],
    ],
  );
  assert.deepEqual(
    (await letters(config)).map(({ key, cause }) => `${key} ${cause}`),
    ['c-7 http-409'],
  );
});
