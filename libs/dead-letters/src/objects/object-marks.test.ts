import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../../fixtures/memory-storage.ts';
import { noMarks } from '../letters/stored-dead-letter.ts';
import {
  joinReplayed,
  readObjectMarks,
  readPending,
  removePending,
  writePending,
  writeReplayed,
  type PendingReplay,
} from './object-marks.ts';

const never = new AbortController().signal;
const marksOf = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `d/${from + index}`, at: 'then' }));

async function known({ place }: MemoryStorage): Promise<string[]> {
  const marks = noMarks();
  await readObjectMarks(place, marks, never);
  return [...marks.replayed].map(([id, at]) => `${id} ${at}`).toSorted();
}

test('twenty objects of marks more than need be become one, written before the others go; none is forgotten', async () => {
  const storage = new MemoryStorage();
  for (let nth = 0; nth < 20; nth += 1) await writeReplayed(storage.place, marksOf(nth * 2, 2), never);
  const before = await known(storage);
  await joinReplayed(storage.place, never);
  assert.equal(storage.objects.size, 20, 'one of them would be there anyway');
  await writeReplayed(storage.place, marksOf(0, 1), never);
  storage.calls.length = 0;
  await joinReplayed(storage.place, never);
  const changes = storage.calls.filter((call) => /^(put|remove) /.test(call)).map((call) => call.split(' ')[0]);
  assert.deepEqual(changes, ['put', ...Array<string>(21).fill('remove')]);
  assert.deepEqual(await known(storage), before);
  assert.equal(storage.objects.size, 1);
});

test('many marks are objects of fifty thousand, and no mark is no object', async () => {
  const storage = new MemoryStorage();
  await writeReplayed(storage.place, [], never);
  assert.equal(storage.objects.size, 0);
  await writeReplayed(storage.place, marksOf(0, 50_001), never);
  assert.deepEqual(
    [...storage.objects.keys()].map((key) => storage.lines(key).length),
    [50_000, 1],
  );
  assert.equal((await known(storage)).length, 50_001);
});

test('marks that another replay joins meanwhile are read where they are by then; what is listed and not there is no mark', async () => {
  const storage = new MemoryStorage();
  for (let nth = 0; nth < 22; nth += 1) await writeReplayed(storage.place, marksOf(nth, 1), never);
  const before = await known(storage);
  const { list } = storage.place.store;
  let joined = false;
  Object.assign(storage.place.store, {
    list: async (...call: Parameters<typeof list>) => {
      const found = await list(...call);
      if (!joined) {
        joined = true;
        await joinReplayed(storage.place, never);
      }
      return found;
    },
  });
  assert.deepEqual(await known(storage), before);
  assert.equal(storage.objects.size, 1);
  const [left] = storage.objects.keys();
  Object.assign(storage.place.store, { get: async () => undefined });
  await assert.rejects(known(storage), { code: 'letter-mark-unreadable', message: new RegExp(left!) });
});

test('of marks that say when, the latest counts, also where they are joined; folders are no marks', async () => {
  const storage = new MemoryStorage();
  for (const at of ['2026-01-02', '2026-01-03', '2026-01-01'])
    await writeReplayed(storage.place, [{ id: 'a', at }], never);
  for (let nth = 0; nth < 20; nth += 1) await writeReplayed(storage.place, [{ id: 'b', at: '2026-01-01' }], never);
  for (const folder of ['replayed', 'pending']) storage.objects.set(`dl/_marks/${folder}/`, Buffer.alloc(0));
  storage.objects.set('dl/_actions/', Buffer.alloc(0));
  for (let look = 0; look < 2; look += 1) {
    assert.deepEqual(await known(storage), ['a 2026-01-03', 'b 2026-01-01']);
    assert.deepEqual(await readPending(storage.place, never), []);
    await joinReplayed(storage.place, never);
  }
  assert.equal(storage.objects.size, 4);
});

test('what was about to be replayed is read as it was written, until it is settled', async () => {
  const storage = new MemoryStorage();
  const pending: PendingReplay = { v: 1, ids: ['a', 'b'], at: 'then', topic: 'd.replay', from: { 0: '7' } };

  const key = await writePending(storage.place, pending, never);
  assert.deepEqual(await readPending(storage.place, never), [{ key, pending }]);
  assert.deepEqual(await known(storage), [], 'it is no mark yet');
  await removePending(storage.place, key, never);
  assert.deepEqual(await readPending(storage.place, never), []);
});

test('of what was done the last hundred are read, and what is no action is passed over', async () => {
  const storage = new MemoryStorage();
  const action = { v: 1, action: 'replay', state: 'begun', at: '2026-01-01T00:00:00Z', by: 'ann@host', filter: {} };
  for (let nth = 0; nth < 105; nth += 1) {
    const id = String(nth).padStart(3, '0');
    storage.objects.set(
      `dl/_actions/2026/01/01/${id}.json`,
      Buffer.from(nth === 104 ? 'x' : JSON.stringify({ ...action, id })),
    );
  }
  const marks = noMarks();
  await readObjectMarks(storage.place, marks, never);
  assert.deepEqual([marks.actions.length, marks.actions[0]?.id, marks.actions.at(-1)?.id], [99, '005', '103']);
});
