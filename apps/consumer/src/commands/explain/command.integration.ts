import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '@genesys-kafka/resilience';
import { partitionFor } from '@genesys-kafka/topics';
import { samples, startBus, type Area, type Bus } from '../../../fixtures/bus.ts';
import { runConsumer, steady } from '../../../fixtures/consumer-process.ts';
import { Target } from '../../../fixtures/target.ts';
import type { Explanation } from './explain.ts';
import { recordsOfKey, type Search } from './records-of-key.ts';

let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const drain = ['run', '--drain', ...steady];

async function explained(area: Area, more: object, ...args: readonly string[]): Promise<Explanation> {
  return JSON.parse((await runConsumer(area.config(more), ['explain', ...args])).stdout) as Explanation;
}

const statesOf = ({ versions }: Explanation) =>
  versions.map(({ routes }) => Object.fromEntries(routes.map(({ route, state }) => [route, state])));

test('explain: before the run, after it, and after a replay; of two versions the newer one is named', async () => {
  await using area = await bus.area();
  await using crm = await Target.listen();
  await using lake = await Target.listen();
  const more = {
    routes: [
      { name: 'crm', when: 'record.n < 2.0', sink: 'crm' },
      { name: 'lake', sink: 'lake' },
      { name: 'none', when: 'record.n > 100.0', sink: 'lake' },
    ],
    sinks: { crm: { type: 'http', url: crm.url }, lake: { type: 'http', url: lake.url } },
  };
  const canary = 'canary-4711';
  const value = (n: number) => ({ conversationId: 'c-1', n, secret: canary });
  const versions = [value(0), value(1)].map((record, index) => ({
    ...area.outgoing(record, `job-${index}`, 7),
    headers: {
      'source-id': `job-${index}`,
      ordinal: '7',
      window: '2026-01-01/2026-01-02',
      'job-id': `job-${index}`,
      'data-availability-date': `2026-01-0${index + 2}T00:00:00.000Z`,
    },
  }));
  await area.publish(samples(50, 10));
  await area.send(partitionFor('c-1', 3), versions);
  const before = await explained(area, more, 'c-1');
  assert.ok(statesOf(before).every(({ crm: one, lake: two }) => one === 'waiting' || two === 'waiting'));

  crm.answer = () => ({ status: 422 });
  await runConsumer(area.config(more), drain);
  const { stdout } = await runConsumer(area.config(more), ['explain', 'c-1']);
  assert.doesNotMatch(stdout, new RegExp(canary), 'no payload unless it is asked for');
  const after = JSON.parse(stdout) as Explanation;
  const last = after.versions.at(-1)!;
  assert.deepEqual(statesOf(after).slice(-2), [
    { crm: 'dead-letter', lake: 'delivered', none: 'not-picked', unrouted: 'not-picked' },
    { crm: 'dead-letter', lake: 'delivered', none: 'not-picked', unrouted: 'not-picked' },
  ]);
  assert.deepEqual([last.newest, last.origin.jobId, last.idempotencyKey], [true, 'job-1', 'job-1:7']);
  assert.equal(after.versions.filter(({ newest }) => newest).length, 1);
  const main = after.read.find(({ topic }) => topic === area.main)!;
  assert.deepEqual([main.complete, main.from, main.to], [true, '0', main.end]);
  assert.equal(
    after.read.filter(({ topic }) => topic === area.main).length,
    1,
    'of the topic, the partition of the key',
  );

  crm.answer = () => ({ status: 200 });
  await runConsumer(area.config(more), ['dead-letters', 'replay', '--key', 'c-1', '--rate', '1000/s']);
  assert.equal(statesOf(await explained(area, more, 'c-1')).at(-1)!.crm, 'retrying');
  await runConsumer(area.config(more), drain);
  assert.equal(statesOf(await explained(area, more, 'c-1')).at(-1)!.crm, 'replayed');
  const shown = await explained(area, more, 'c-1', '--payload');
  assert.match(shown.versions.at(-1)!.payload!, new RegExp(canary));
  await runConsumer(area.config(more), ['dead-letters', 'purge', '--key', 'c-1', '--yes']);
  assert.equal(statesOf(await explained(area, more, 'c-1')).at(-1)!.crm, 'purged');
  const { status } = await runConsumer(area.config(more), ['explain', 'nobody']);
  assert.equal(status, 0);
});

test('the newest fifty records of a key are found in one reading, and hold nothing of what was read beside them', async () => {
  await using area = await bus.area();
  const partition = partitionFor('c-1', 3);
  const other = { conversationId: 'c-2', n: 0, text: 'abcdefgh '.repeat(2000) };
  for (let n = 0; n < 53; n += 1)
    await area.send(partition, [
      area.outgoing({ conversationId: 'c-1', n }, 'job', n),
      { ...area.outgoing(other, 'job', 99), key: '' },
    ]);
  await area.append(partition, { key: null, value: Buffer.from('x') });
  let reads = 0;
  const client: Search['client'] = {
    admin: area.client.admin,
    read: (...asked) => {
      reads += 1;
      return area.client.read(...asked);
    },
  };
  const search = { client, deadlineMs: Infinity, clock: systemClock, signal: new AbortController().signal };
  const { records, leftOut, span } = await recordsOfKey(area.main, 'c-1', search);
  assert.deepEqual([reads, leftOut, span?.to, span?.complete], [1, 3, '107', true]);
  assert.deepEqual(
    records.map(({ offset, headers }) => [Number(offset), String(headers.ordinal)]),
    Array.from({ length: 50 }, (_, index) => [2 * (index + 3), String(index + 3)]),
  );
  for (const { value } of records) assert.ok(value!.buffer.byteLength <= Buffer.poolSize);
});
