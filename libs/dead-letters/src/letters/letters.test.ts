import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLetter } from '@genesys-kafka/topics';
import { Letters, marksOnly } from './letters.ts';
import type { LetterMarks, LetterStore, StoredDeadLetter } from './stored-dead-letter.ts';

function letter(id: string, more: Partial<DeadLetter> = {}, object?: string): StoredDeadLetter {
  const deadLetter: DeadLetter = {
    framing: 'none',
    stage: 'deliver',
    cause: 'http-422',
    reason: 'refused',
    timestampMs: 0,
    origin: { topic: 'd', partition: 0, offset: 0n },
    route: 'crm',
    attempts: 1,
    ...more,
  };
  const place = object === undefined ? { partition: 0, offset: 0n } : { object };
  return { id, deadLetter, key: Buffer.from(id), place, value: () => null, headers: () => ({}) };
}

function store(
  letters: readonly StoredDeadLetter[],
  marks: (marks: LetterMarks) => void = () => undefined,
): LetterStore {
  return {
    unreadable: 0,
    readMarks: async (known) => marks(known),
    scan: async function* () {
      for (const one of letters) yield await Promise.resolve(one);
    },
  };
}

async function walked(letters: Letters, ...filter: Parameters<Letters['walk']>): Promise<string[]> {
  const found: string[] = [];
  for await (const { id, place, replayedAt } of letters.walk(...filter))
    found.push([id, 'object' in place ? place.object : 'topic', replayedAt ?? 'open'].join(' '));
  return found;
}

test('what lies in both stores is met once, and a mark of either counts in both', async () => {
  const topic = store([letter('a'), letter('b'), letter('b')]);
  const objects = store([letter('b', {}, 'o'), letter('d', {}, 'o')], ({ replayed }) => {
    replayed.set('a', 'then').set('d', 'then');
  });
  const both = new Letters([topic, objects]);
  assert.deepEqual(await walked(both), ['a topic then', 'b topic open', 'd o then']);
  assert.deepEqual(await walked(both, { state: 'open' }), ['b topic open']);
  assert.deepEqual(await walked(new Letters([marksOnly(topic), objects])), ['b o open', 'd o then']);
});

test('a marker of purge hides what lay in the topic before it; object storage shows what it still has', async () => {
  const marker = { partition: 0, offset: 1n };
  const again = { ...letter('b'), place: { partition: 0, offset: 2n } };
  const elsewhere = { ...letter('c'), place: { partition: 1, offset: 9n } };
  const topic = store([letter('a'), letter('b'), again, elsewhere, letter('d')], ({ purged }) => {
    for (const id of ['a', 'b', 'c']) purged.set(id, marker);
  });
  const objects = store([letter('c', {}, 'o')]);
  assert.deepEqual(await walked(new Letters([topic, objects])), ['b topic open', 'd topic open', 'c o open']);
});

test('a pointer gives way to the record that the other store has; one that nobody else has is met at the end', async () => {
  const topic = store([letter('a', { omittedBytes: 9 }), letter('b', { omittedBytes: 9 }), letter('c')]);
  const objects = store([letter('a', {}, 'o')]);
  assert.deepEqual(await walked(new Letters([topic, objects])), ['c topic open', 'a o open', 'b topic open']);
});

test('a pointer is asked of the filter too; what cannot be read is counted in all stores', async () => {
  const more = { omittedBytes: 9 };
  const topic = store([
    letter('a', more),
    letter('b', { ...more, cause: 'http-400' }),
    letter('c', { cause: 'http-400' }),
  ]);
  const objects = store([letter('b', {}, 'o'), letter('d', {}, 'o')]);
  const both = new Letters([
    { ...topic, unreadable: 2 },
    { ...objects, unreadable: 3 },
  ]);
  assert.deepEqual(await walked(both, { cause: 'http-400' }), ['c topic open']);
  assert.deepEqual(await walked(both, { cause: 'http-422' }), ['b o open', 'd o open', 'a topic open']);
  assert.equal(both.unreadable, 5);
  assert.equal(marksOnly({ ...topic, unreadable: 2 }).unreadable, 0);
  // Not there, rather than there without a value: what is copied from it would have it.
  for await (const one of both.walk()) assert.ok(!('replayedAt' in one));
});
