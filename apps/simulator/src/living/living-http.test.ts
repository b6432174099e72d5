import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { bench, BULK, JOBS } from '../../fixtures/client.ts';
import type { Bench } from '../../fixtures/client.ts';
import { unzip } from '../../fixtures/unzip.ts';
import { SimulatorOptionsError } from '../options.ts';
import type { SimulatorOptions } from '../options.ts';
import { startSimulator } from '../simulator.ts';
import type { TrueVersion } from './organisation.ts';

const LIVING: SimulatorOptions = {
  living: true,
  perDay: 200,
  from: '2025-10-01',
  clock: '2025-10-04',
  availabilityLagSeconds: 7200,
  availabilityStepSeconds: 900,
  reopened: 0.3,
  late: 0.1,
  vanished: 0.1,
};
const INTERVAL = { from: '2025-10-02T00:00:00.000Z', to: '2025-10-03T00:00:00.000Z' };
const interval = `${INTERVAL.from}/${INTERVAL.to}`;

interface ClockState {
  now: string;
  speed: number;
  dataAvailabilityDate: string;
}

const clock = async (it: Bench): Promise<ClockState> =>
  (await it.get('/_simulator/clock')).json() as Promise<ClockState>;
const setClock = (it: Bench, change: object) => it.post('/_simulator/clock', change, 'PUT');

async function truth(it: Bench, query: Record<string, string> = {}): Promise<TrueVersion[]> {
  const answer = await it.get(`/_simulator/truth?${new URLSearchParams({ ...INTERVAL, ...query }).toString()}`);
  assert.equal(answer.status, 200);
  const text = await answer.text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TrueVersion);
}

test('the clock starts where it is told, runs at its speed, is set, and never goes back', async () => {
  await using it = await bench({ ...LIVING, speed: 2000 });
  const first = await clock(it);
  assert.deepEqual(first, {
    now: '2025-10-04T00:00:00.000Z',
    speed: 2000,
    dataAvailabilityDate: '2025-10-03T22:00:00.000Z',
  });
  it.clock.ms += 1000;
  assert.deepEqual(await clock(it), {
    now: '2025-10-04T00:33:20.000Z',
    speed: 2000,
    // 22:33:20, in steps of a quarter of an hour.
    dataAvailabilityDate: '2025-10-03T22:30:00.000Z',
  });
  const set = await setClock(it, { now: '2025-10-05T00:00:00Z', speed: 0 });
  it.clock.ms += 60_000;
  assert.deepEqual(await set.json(), await clock(it));
  assert.equal((await clock(it)).now, '2025-10-05T00:00:00.000Z');
  const back = await setClock(it, { now: '2025-10-04T23:59:59Z' });
  assert.equal(back.status, 400);
  assert.match(((await back.json()) as { message: string }).message, /the clock is past it, at 2025-10-05T00:00:00/);
  assert.equal((await it.post('/_simulator/availability', { dataAvailabilityDate: INTERVAL.to }, 'PUT')).status, 204);
  assert.equal((await clock(it)).dataAvailabilityDate, INTERVAL.to);
  assert.equal((await it.post('/_simulator/availability', { dataAvailabilityDate: null }, 'PUT')).status, 204);
  assert.equal((await clock(it)).dataAvailabilityDate, '2025-10-04T22:00:00.000Z');
});

test('all pages of a job are of the moment of its submission, and the truth of that moment has exactly their bytes', async () => {
  await using it = await bench({ ...LIVING, perDay: 100, speed: 0 });
  const { dataAvailabilityDate } = await clock(it);
  const jobId = await it.finishedJob({ interval });
  const pages = [await it.page(jobId, undefined, 20)];
  for (let cursor = pages[0]?.cursor; cursor !== undefined; cursor = pages.at(-1)?.cursor) {
    // The organisation goes on for days between two pages.
    const nextMs = Date.parse((await clock(it)).now) + 5 * 86_400_000;
    await setClock(it, { now: new Date(nextMs).toISOString() });
    pages.push(await it.page(jobId, cursor, 20));
  }
  assert.ok(pages.length >= 5);
  assert.ok(pages.every((page) => page.dataAvailabilityDate === dataAvailabilityDate));
  const held = await truth(it, { at: dataAvailabilityDate });
  const there = held.filter((line) => line.vanished === undefined);
  assert.ok(there.length > 90);
  const found = pages.flatMap((page) => page.conversations);
  assert.deepEqual(
    found.map((record) => record.conversationId),
    there.map((line) => line.conversationId),
  );
  // The same moment again: the texts themselves.
  await it.post('/_simulator/availability', { dataAvailabilityDate }, 'PUT');
  const again = await it.finishedJob({ interval });
  const text = async (id: string) => (await it.get(`${JOBS}/${id}/results?pageSize=1000`)).text();
  const page = await text(jobId);
  assert.equal(await text(again), page);
  const lake = it.simulator.conversations;
  const byId = new Map(Array.from({ length: lake.records }, (_, index) => [lake.id(index), index]));
  for (const { conversationId, digest } of there) {
    const bytes = lake.text(byId.get(conversationId)!).trim();
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digest);
    assert.ok(page.includes(bytes));
  }
});

test('an interval past the availability date ends FULFILLED without its tail, and the next day changes the day before', async () => {
  await using it = await bench({ ...LIVING, clock: '2025-10-02T14:00:00Z', speed: 0 });
  const { dataAvailabilityDate } = await clock(it);
  assert.equal(dataAvailabilityDate, '2025-10-02T12:00:00.000Z');
  const read = async (query: object = {}) => {
    const jobId = await it.finishedJob({ interval, ...query });
    assert.equal(((await (await it.get(`${JOBS}/${jobId}`)).json()) as { state: string }).state, 'FULFILLED');
    return (await it.pages(jobId)).flatMap((page) => page.conversations) as unknown as Record<string, string>[];
  };
  const half = await read();
  assert.ok(half.length > 0);
  assert.ok(half.every((record) => record.conversationStart! < dataAvailabilityDate));
  await setClock(it, { now: '2025-10-10T00:00:00Z' });
  const whole = await read();
  const before = new Map(half.map((record) => [record.conversationId, JSON.stringify(record)]));
  const changed = whole.filter(({ conversationId, ...rest }) => {
    const text = before.get(conversationId);
    return text !== undefined && text !== JSON.stringify({ conversationId, ...rest });
  });
  assert.ok(whole.length > half.length + 50);
  assert.ok(changed.length > 5, `${changed.length} changed`);
  const startDay = await read({ startOfDayIntervalMatching: true });
  assert.ok(startDay.length < whole.length);
  assert.ok(startDay.every((record) => record.conversationStart!.startsWith('2025-10-02')));
});

test('the other contract has archives of the moment too, each with its own bytes', async () => {
  await using it = await bench({ ...LIVING, speed: 0 });
  const archive = async () => {
    const query = { dateFrom: INTERVAL.from, dateTo: INTERVAL.to };
    const { resultsUrl } = await it.archiveLink(query);
    return (await unzip(Buffer.from(await (await fetch(resultsUrl)).arrayBuffer()))).content.toString();
  };
  const first = await archive();
  assert.equal(await archive(), first);
  await setClock(it, { now: '2025-10-20T00:00:00Z' });
  const later = await archive();
  assert.notEqual(later, first);
  const ids = (text: string) =>
    (JSON.parse(text) as { conversationId: string }[]).map((record) => record.conversationId);
  const lines = await truth(it, { matching: 'start' });
  assert.deepEqual(
    ids(later),
    lines.filter((line) => line.vanished === undefined).map((line) => line.conversationId),
  );
});

test('archives leave the disk once nobody can be reading them, and the same query makes them again', async () => {
  await using it = await bench({ ...LIVING, speed: 0, resultsTtlSeconds: 60 });
  const query = { dateFrom: INTERVAL.from, dateTo: INTERVAL.to };
  const first = await it.archiveLink(query);
  const bytes = Buffer.from(await (await fetch(first.resultsUrl)).arrayBuffer());
  it.clock.ms += 60_000;
  assert.equal((await it.get(`/api/v2/jobs/${first.jobId}`)).status, 404);
  it.clock.ms += 61_000;
  assert.equal((await it.post(BULK, { ...query, size: 1 })).status, 202);
  const again = await it.archiveLink(query);
  assert.deepEqual(Buffer.from(await (await fetch(again.resultsUrl)).arrayBuffer()), bytes);
});

test('what does not go together is refused by name, and the truth is for what lives', async () => {
  await assert.rejects(startSimulator({ living: true, records: 5 }), /records: is not for conversations that live/);
  await assert.rejects(startSimulator({ late: 0.1, perDay: 5 }), /perDay: is for conversations that live.*\n.*late: /);
  await assert.rejects(
    startSimulator({ living: true, population: 'x' }),
    /living: is not for the conversations of a file/,
  );
  await assert.rejects(startSimulator({ living: true, from: '2025-10-02', to: '2025-10-01' }), SimulatorOptionsError);
  await using it = await bench();
  const query = new URLSearchParams(INTERVAL).toString();
  assert.equal((await it.get(`/_simulator/truth?${query}`)).status, 404);
  await using living = await bench(LIVING);
  assert.equal((await living.get(`/_simulator/truth?${query}&at=soon`)).status, 400);
  assert.equal((await living.get(`/_simulator/truth?${query}&matching=any`)).status, 400);
});
