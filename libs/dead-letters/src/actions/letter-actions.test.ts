import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaClient, OutgoingRecord } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { MARKER_HEADER } from '@genesys-kafka/topics';
import { MemoryStorage } from '../../fixtures/memory-storage.ts';
import { parseAction, recorded, type LetterAction } from './letter-actions.ts';

const what = { action: 'replay', by: 'ann@host', filter: { route: 'crm' } } as const;

/** Both places, and what happened in order. */
function setUp(options: { readonly failsAt?: string } = {}) {
  const storage = new MemoryStorage();
  const events: string[] = [];
  const told: LetterAction[] = [];
  const producer = () => ({
    send: async ({ topic, partition }: { topic: string; partition: number }, [record]: readonly OutgoingRecord[]) => {
      const action = parseAction(String(record!.headers?.[MARKER_HEADER.action]))!;
      if (action.state === options.failsAt) throw new Error(`no ${action.state}`);
      events.push(`${topic}/${partition} ${action.state}`);
      assert.deepEqual([record!.key, record!.value, record!.headers?.[MARKER_HEADER.at]], [null, null, action.at]);
      told.push(action);
    },
    close: async () => void events.push('closed'),
  });
  const clock = new ManualClock();
  const ports = {
    ...{
      client: { producer } as unknown as Pick<KafkaClient, 'producer'>,
      clock,
      signal: new AbortController().signal,
    },
    ...{ deadLetters: { topic: 'dlt', partitions: 3 }, objects: storage.place },
  };
  const work = async () => {
    events.push('work');
    await clock.advance(1000);
    return { done: 2 };
  };
  return { ports, storage, events, told, work };
}

const stored = ({ objects }: MemoryStorage) =>
  [...objects].map(([key, body]) => [key, parseAction(body.toString())!] as const);

test('what is done stands between two records of it, on the topic and in the storage, with the same id', async () => {
  const { ports, storage, events, told, work } = setUp();
  assert.deepEqual(await recorded(ports, what, work, ({ done }) => ({ replayed: done })), { done: 2 });
  assert.deepEqual(events, ['dlt/0 begun', 'closed', 'work', 'dlt/0 ended', 'closed']);
  const { id } = told[0]!;
  const begun = { v: 1, id, ...what, state: 'begun', at: '2026-01-01T00:00:00.000Z' };
  const ended = { ...begun, state: 'ended', at: '2026-01-01T00:00:01.000Z', counts: { replayed: 2 } };
  assert.deepEqual(told, [begun, ended]);
  assert.deepEqual(stored(storage), [
    [`dl/_actions/2026/01/01/000000.000-${id}.json`, begun],
    [`dl/_actions/2026/01/01/000001.000-${id}.json`, ended],
  ]);
});

test('one place is enough: the one that dead letters go to', async () => {
  const topic = setUp();
  await recorded({ ...topic.ports, objects: undefined }, what, topic.work, () => ({}));
  assert.deepEqual([topic.told.length, topic.storage.calls], [2, []]);
  const objects = setUp();
  await recorded({ ...objects.ports, deadLetters: undefined }, what, objects.work, () => ({}));
  assert.deepEqual([objects.told.length, stored(objects.storage).length], [0, 2]);
});

test('what cannot be recorded is not begun, and what fails is told as failed, also once everything is stopped', async () => {
  const early = setUp({ failsAt: 'begun' });
  await assert.rejects(
    recorded(early.ports, what, early.work, () => ({})),
    /no begun/,
  );
  assert.ok(!early.events.includes('work'));
  assert.equal(early.events.at(-1), 'closed');

  const late = setUp();
  const stop = new AbortController();
  const failing = async (): Promise<object> => {
    stop.abort(new Error('stop'));
    throw new Error('the work');
  };
  await assert.rejects(
    recorded({ ...late.ports, signal: stop.signal }, what, failing, () => ({})),
    /the work/,
  );
  assert.deepEqual(
    late.told.map(({ state }) => state),
    ['begun', 'failed'],
  );
  assert.equal('counts' in late.told[1]!, false);
  const known = setUp();
  const soFar = () => ({ replayed: 3 });
  await assert.rejects(
    recorded(known.ports, what, failing, () => ({}), soFar),
    /the work/,
  );
  assert.deepEqual(known.told[1]?.counts, { replayed: 3 });
  // Why it failed counts more than that this could not be told.
  const silent = setUp({ failsAt: 'failed' });
  await assert.rejects(
    recorded(silent.ports, what, failing, () => ({})),
    /the work/,
  );
});

test('what is no action, or of another version, is none', () => {
  const action = {
    v: 1,
    id: 'a',
    action: 'replay',
    state: 'begun',
    at: '2026-01-01T00:00:00Z',
    by: 'ann@host',
    filter: {},
  };
  const odd = [{ v: 2 }, { id: 7 }, { id: undefined }, { state: 'odd' }, { filter: null }];
  const texts = odd.map((other) => JSON.stringify({ ...action, ...other }));
  for (const text of ['', 'x', 'null', '[]', ...texts]) assert.equal(parseAction(text), undefined, text);
  assert.equal(parseAction(JSON.stringify(action))?.id, 'a');
});
