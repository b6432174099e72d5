import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { formatDeadLetter } from '@genesys-kafka/topics';
import { MemoryStorage } from '../../fixtures/memory-storage.ts';
import { encodeLetter } from '../objects/letter-line.ts';
import { ObjectLetters } from './object-letters.ts';
import type { LetterFilter } from './stored-dead-letter.ts';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;
const dayMs = (day: string) => Date.parse(day);

function line(ordinal: number, timestampMs: number): Buffer {
  const headers = formatDeadLetter({
    ...{ framing: 'none', stage: 'parse', cause: 'c', reason: 'x', timestampMs, attempts: 0 },
    origin: { source: 's', ordinal },
  } as const);
  return encodeLetter({ key: null, value: Buffer.from('{}'), headers });
}

/** One object for each day, route and cause that is named. */
function storageOf(...folders: readonly string[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const [index, folder] of folders.entries()) {
    const body = gzipSync(Buffer.concat([line(index, 0), Buffer.from('\n')]));
    storage.objects.set(`dl/${folder}/${index}.ndjson.gz`, body);
  }
  return storage;
}

async function found(storage: MemoryStorage, filter: LetterFilter): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of new ObjectLetters(storage.place, never).objects(filter))
    keys.push(key.replace(/^dl\/|\/\d+\.ndjson\.gz$/g, ''));
  return keys;
}

test('objects are chosen by what their names say, a name that is cut in a path included, and marks are none', async () => {
  const long = 'x'.repeat(300);
  const storage = storageOf(
    ...['2026/01/30/crm/http-422', '2026/01/31/crm/a%2Fb', `2026/02/01/${long.slice(0, 200)}/http-422`],
  );
  for (const other of ['_marks/replayed/1.ndjson.gz', '2026/01/31/crm/http-422/note.txt', 'x/y.ndjson.gz'])
    storage.objects.set(`dl/${other}`, Buffer.from('x'));
  storage.objects.set('other/2026/01/31/crm/http-422/9.ndjson.gz', Buffer.from('x'));
  const all = ['2026/01/30/crm/http-422', '2026/01/31/crm/a%2Fb', `2026/02/01/${long.slice(0, 200)}/http-422`];
  assert.deepEqual(await found(storage, {}), all);
  assert.deepEqual(await found(storage, { route: 'crm' }), all.slice(0, 2));
  assert.deepEqual(await found(storage, { route: long }), all.slice(2));
  assert.deepEqual(await found(storage, { cause: 'a/b' }), [all[1]]);
  assert.deepEqual(await found(storage, { route: 'crm', cause: 'http-422' }), [all[0]]);
  assert.deepEqual(await found(storage, { route: 'cr' }), []);
});

test('a day is looked at where a moment of it may be meant, and other days are not listed', async () => {
  const days = ['2026/01/30', '2026/01/31', '2026/02/01'];
  const storage = storageOf(...days.map((day) => `${day}/crm/c`));
  const within = async (filter: LetterFilter) => {
    storage.calls.length = 0;
    const keys = await found(storage, filter);
    const listed = storage.calls
      .filter((call) => call.startsWith('list '))
      .map((call) => call.slice('list dl/'.length));
    return [keys.map((key) => key.slice(0, 10)), listed];
  };
  const [first, middle, last] = ['2026-01-30', '2026-01-31', '2026-02-01'].map(dayMs) as [number, number, number];
  assert.deepEqual(await within({ sinceMs: middle, untilMs: last }), [[days[1]], [`${days[1]!}/`]]);
  assert.deepEqual(await within({ sinceMs: last - 1, untilMs: last + 1 }), [
    days.slice(1),
    days.slice(1).map((day) => `${day}/`),
  ]);
  assert.deepEqual(await within({ sinceMs: last, untilMs: first }), [[], []]);
  // Without a first moment, and for more days than are worth asking for one by one, all is listed.
  assert.deepEqual(await within({ untilMs: middle }), [[days[0]], ['']]);
  assert.deepEqual(await within({ untilMs: middle + 1 }), [days.slice(0, 2), ['']]);
  const [keys, single] = await within({ sinceMs: last - 99 * DAY_MS, untilMs: last + DAY_MS });
  assert.deepEqual([keys, single?.length], [days, 100]);
  assert.deepEqual(await within({ sinceMs: last - 99 * DAY_MS, untilMs: last + DAY_MS + 1 }), [days, ['']]);
  assert.deepEqual(await within({ sinceMs: middle, untilMs: last + 200 * DAY_MS }), [days.slice(1), ['']]);
});

test('up to now and a day, where no last moment is given: clocks differ', async () => {
  const today = new Date().toISOString().slice(0, 10);
  const tomorrow = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10);
  const folders = [today, tomorrow].map((day) => `${day.replaceAll('-', '/')}/crm/c`);
  assert.deepEqual(await found(storageOf(...folders), { sinceMs: dayMs(today) }), folders);
});

test('an object that is purged or written anew while others are read is met as what is left of it', async () => {
  const storage = storageOf('2026/01/30/crm/c', '2026/01/30/crm/d', '2026/01/31/crm/c', '2026/01/31/crm/d');
  const letters = new ObjectLetters(storage.place, never);
  const { get } = storage.place.store;
  let purged = false;
  Object.assign(storage.place.store, {
    get: async (...call: Parameters<typeof get>) => {
      const [first, second] = [...storage.objects.keys()];
      if (!purged) {
        storage.objects.set('dl/2026/01/30/crm/c/anew.ndjson.gz', storage.objects.get(first!)!);
        for (const one of [first!, second!]) storage.objects.delete(one);
      }
      purged = true;
      return get(...call);
    },
  });
  const met: string[] = [];
  for await (const { id } of letters.scan({})) met.push(id);
  assert.deepEqual(met, ['s/2//0', 's/3//0', 's/0//0']);
  assert.equal(letters.unreadable, 0);
  // A storage that lists what it does not give.
  Object.assign(storage.place.store, { get: async () => undefined });
  assert.deepEqual(await Array.fromAsync(letters.scan({})), []);
  assert.equal(letters.unreadable, 3);
});

test('an object that is larger than any of ours is not fetched', async () => {
  const storage = storageOf('2026/01/30/crm/c');
  const { list } = storage.place.store;
  Object.assign(storage.place.store, {
    list: async (...call: Parameters<typeof list>) =>
      (await list(...call)).map((one) => ({ ...one, bytes: 256 * 1024 * 1024 + 1 })),
  });
  const letters = new ObjectLetters(storage.place, never);
  assert.deepEqual(await Array.fromAsync(letters.scan({})), []);
  assert.equal(letters.unreadable, 1);
  assert.ok(!storage.calls.some((call) => call.startsWith('get ')));
});

test('what is no line, or no object of ours, is counted anew with each look, and the others are met in their order', async () => {
  const storage = storageOf('2026/01/30/crm/c', '2026/01/31/crm/c');
  const lines = [line(7, 5), Buffer.from('{"v":9}'), Buffer.from(''), line(8, 6)];
  const mixed = gzipSync(Buffer.concat(lines.flatMap((one) => [one, Buffer.from('\n')]).slice(0, -1)));
  storage.objects.set('dl/2026/01/30/crm/c/mixed.ndjson.gz', mixed);
  storage.objects.set('dl/2026/01/30/crm/c/odd.ndjson.gz', Buffer.from('not gzip'));
  const letters = new ObjectLetters(storage.place, never);
  for (let look = 0; look < 2; look += 1) {
    const met: string[] = [];
    for await (const { id, place } of letters.scan({})) met.push(`${id} ${'object' in place ? place.object : ''}`);
    assert.deepEqual(met, [
      's/0//0 dl/2026/01/30/crm/c/0.ndjson.gz',
      's/7//0 dl/2026/01/30/crm/c/mixed.ndjson.gz',
      's/8//0 dl/2026/01/30/crm/c/mixed.ndjson.gz',
      's/1//0 dl/2026/01/31/crm/c/1.ndjson.gz',
    ]);
    assert.equal(letters.unreadable, 2);
    assert.deepEqual([...letters.damaged], ['dl/2026/01/30/crm/c/odd.ndjson.gz']);
  }
});
