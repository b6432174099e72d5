import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type ConsumedRecord, type OutgoingRecord, type PartitionSlice } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { topicSpecs } from '@genesys-kafka/topics';
import { formatControl, parseControl, type ControlEntry } from './control-entry.ts';
import { RouteControls } from './route-controls.ts';

const topic = topicSpecs({ prefix: 'g.' }).controls;
const pause = (groupId: string, state: 'paused' | 'running'): ControlEntry => ({
  kind: 'pause',
  groupId,
  pause: { state, at: '2026-01-01T00:00:00.000Z', by: 'ann', reason: 'target moves' },
});
const start = (groupId: string, offset: bigint): ControlEntry => ({
  kind: 'start',
  groupId,
  start: { from: 'latest', at: '2026-01-01T00:00:00.000Z', offsets: new Map([[0, offset]]) },
});

/** The topic as a list that grows; a reader waits for more, and fails as told. */
async function open(...entries: (ControlEntry | { readonly key: string; readonly value: string | null })[]) {
  const clock = new ManualClock();
  const records: ConsumedRecord[] = [];
  const failures: Error[] = [];
  let grown = Promise.withResolvers<undefined>();
  const append = (...more: typeof entries) => {
    for (const entry of more) {
      const { key, value } = 'kind' in entry ? formatControl(entry) : entry;
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      const offset = BigInt(records.length);
      records.push({
        topic: topic.name,
        partition: 0,
        offset,
        timestampMs: 0,
        key: Buffer.from(key),
        value: bytes,
        headers: {},
      });
    }
    grown.resolve(undefined);
    grown = Promise.withResolvers();
  };
  const read = async function* (_: unknown, { from }: { from: 'start' | bigint }): AsyncGenerator<PartitionSlice> {
    for (let at = from === 'start' ? 0 : Number(from); ;) {
      const failure = failures.shift();
      if (failure) throw failure;
      const end = BigInt(records.length);
      const slice = records.slice(at);
      at = records.length;
      yield { records: slice, nextOffset: end, lastStableOffset: end, highWatermark: end };
      if (failures.length === 0 && at === records.length) await grown.promise;
    }
  };
  const troubles: unknown[] = [];
  const made: string[] = [];
  const producer = () => ({
    send: async (_: unknown, sent: readonly OutgoingRecord[]) =>
      append(...sent.map(({ key, value }) => ({ key: String(key), value: String(value as Buffer) }))),
    close: async () => undefined,
  });
  append(...entries);
  const controls = await RouteControls.open({
    client: {
      read,
      producer,
      admin: {
        createMissing: async (specs) => {
          made.push(...specs.map(({ name }) => name));
          return [];
        },
        describeTopic: async () => ({ ...topic }),
      },
    },
    topic,
    signal: new AbortController().signal,
    clock,
    onTrouble: (error) => troubles.push(error),
  });
  return { controls, append, failures, troubles, clock, made };
}

const turns = async () => {
  for (let i = 0; i < 5; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};

test('entries are what they were when read again', () => {
  for (const entry of [pause('g.voice', 'paused'), start('g.a/b', 7n)]) {
    const { key, value } = formatControl(entry);
    assert.deepEqual(parseControl(Buffer.from(key), value), entry);
  }
  const [paused, began] = [formatControl(pause('g', 'paused')), formatControl(start('g', 7n))];
  const { value } = paused;
  for (const key of ['other', 'pause/', 'xpause/g', 'start/g', '', null])
    assert.equal(parseControl(key === null ? null : Buffer.from(key), value), undefined, String(key));
  assert.equal(parseControl(Buffer.from('pause/g'), null), undefined);
  const changed = (entry: typeof paused, more: object) => {
    const text = JSON.stringify({ ...(JSON.parse(entry.value.toString()) as object), ...more });
    return parseControl(Buffer.from(entry.key), Buffer.from(text));
  };
  for (const more of [{ v: 2 }, { state: 'half' }, { by: 7 }]) assert.equal(changed(paused, more), undefined);
  for (const offsets of [{ x0: '7' }, { '0x': '7' }, { 0: '-7' }, { 0: '7.5' }, { 0: 7 }])
    assert.equal(changed(began, { offsets }), undefined, JSON.stringify(offsets));
  assert.equal(changed(began, { v: 2 }), undefined);
});

test('the last word on a pause counts, from before the start and after it, and listeners hear of it', async () => {
  const { controls, append, made } = await open(pause('a', 'paused'), pause('b', 'paused'), pause('b', 'running'));
  assert.deepEqual(made, [topic.name], 'the topic is there before it is read');
  assert.equal(controls.pauseOf('a')?.by, 'ann');
  assert.equal(controls.pauseOf('b'), undefined);
  const heard: string[] = [];
  controls.onPause((groupId) => heard.push(`${groupId} ${controls.pauseOf(groupId)?.state ?? 'goes on'}`));
  const stop = new AbortController();
  const following = controls.follow(stop.signal);
  following.catch(() => undefined);
  await turns();
  append(pause('b', 'paused'), { key: 'pause/a', value: null });
  await turns();
  assert.deepEqual(heard, ['b paused', 'a goes on']);
});

test('brokers that are away change nothing of what is known; what is said meanwhile is heard afterwards', async () => {
  const { controls, append, failures, troubles, clock } = await open(pause('a', 'paused'));
  const stop = new AbortController();
  controls.follow(stop.signal).catch(() => undefined);
  await turns();
  failures.push(new KafkaError('broker-unreachable', 'away'), new KafkaError('broker-unreachable', 'away'));
  append(pause('b', 'paused'));
  await turns();
  assert.equal(controls.pauseOf('a')?.state, 'paused');
  append(pause('a', 'running'));
  await clock.advance(60_000);
  assert.equal(troubles.length, 2);
  assert.deepEqual([controls.pauseOf('a'), controls.pauseOf('b')?.state], [undefined, 'paused']);
});

test('what is taken back by hand is as if it had not been said, of a start too; other keys are nobody’s', async () => {
  const { controls } = await open(
    ...[start('a', 100n), { key: 'start/a', value: null }, { key: 'pause/a', value: null }],
    ...[start('b', 7n), { key: 'xstart/b', value: null }, { key: 'other', value: null }],
    ...[pause('a', 'paused'), { key: 'start/a', value: null }],
  );
  assert.equal(controls.startOf('a'), undefined);
  assert.equal(controls.startOf('b')?.offsets.get(0), 7n);
  assert.equal(controls.pauseOf('a')?.state, 'paused');
});

test('a topic that was made anew is read from its start; what no waiting mends ends the following', async () => {
  const { controls, append, failures, troubles, clock } = await open(pause('a', 'paused'));
  const stop = new AbortController();
  const following = controls.follow(stop.signal).then(
    () => 'ended',
    (error: unknown) => (error as KafkaError).code,
  );
  await turns();
  const heard: string[] = [];
  controls.onPause((groupId) => heard.push(groupId));
  failures.push(new KafkaError('broker-unreachable', 'away'));
  append(pause('b', 'paused'));
  await turns();
  await clock.advance(60_000);
  failures.push(new KafkaError('broker-unreachable', 'away'));
  append();
  await turns();
  await clock.advance(60_000);
  assert.deepEqual(heard, ['b'], 'it goes on where it was');
  failures.push(new KafkaError('offset-out-of-range', 'gone'));
  append(pause('c', 'paused'));
  await turns();
  await clock.advance(60_000);
  assert.deepEqual(heard, ['b', 'a', 'b', 'c']);
  assert.equal(troubles.length, 3);
  failures.push(new KafkaError('authorization-failed', 'no right'));
  append(pause('d', 'paused'));
  assert.equal(await following, 'authorization-failed');
});

test('what is written is there for all; an abort ends the following with its reason, whatever fails then', async () => {
  const { controls, failures, append, troubles } = await open();
  const stop = new AbortController();
  const following = controls.follow(stop.signal);
  following.catch(() => undefined);
  await controls.write(pause('a', 'paused'));
  await turns();
  assert.equal(controls.pauseOf('a')?.by, 'ann');
  stop.abort(new Error('stop'));
  failures.push(new KafkaError('broker-unreachable', 'closed'));
  append(pause('b', 'paused'));
  await assert.rejects(following, /stop/);
  assert.deepEqual(troubles, []);
});

test('of two starts that are recorded for one route the first counts, for both who wrote them', async () => {
  const { controls } = await open(start('a', 100n), start('a', 105n));
  assert.equal(controls.startOf('a')?.offsets.get(0), 100n);
});

test('an entry that cannot be read is not taken for none', async () => {
  const later = { key: 'pause/a', value: '{"v":2,"state":"half"}' };
  await assert.rejects(open(later), {
    code: 'control-unreadable',
    message: /^g\.route-controls: the entry at offset 0, of the key "pause\/a", is/,
  });
  await assert.rejects(open(later, pause('b', 'paused'), { ...later, key: 'pause/c', value: null }), {
    code: 'control-unreadable',
  });
  const { controls, append } = await open();
  const following = controls.follow(new AbortController().signal);
  append(later);
  await assert.rejects(following, { code: 'control-unreadable' });
});

test('a tombstone, or a word that is understood, mends it, though the topic still has what it was', async () => {
  const later = { key: 'pause/a', value: '{"v":2,"state":"half"}' };
  const { controls } = await open(later, { key: 'pause/a', value: null });
  assert.equal(controls.pauseOf('a'), undefined);
  const said = await open(later, pause('a', 'paused'));
  assert.equal(said.controls.pauseOf('a')?.by, 'ann');
});
