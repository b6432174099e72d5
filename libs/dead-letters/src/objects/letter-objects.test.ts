import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { formatDeadLetter } from '@genesys-kafka/topics';
import { DeadLetterError } from '../errors.ts';
import type { LetterRecord } from './letter-line.ts';
import { LetterObjects } from './letter-objects.ts';
import type { LetterStorage } from './letter-place.ts';

const never = new AbortController().signal;
const away = new DeadLetterError('letter-store-away', 'Away.');
const refusing = new DeadLetterError('letter-store-refuses', 'Refuses.');

function letter(ordinal: number, cause = 'invalid-json', bytes = 10): LetterRecord {
  const headers = formatDeadLetter({
    framing: 'none',
    stage: 'parse',
    cause,
    reason: 'x',
    timestampMs: 0,
    origin: { source: 's', ordinal },
    attempts: 0,
  });
  return { key: null, value: Buffer.alloc(bytes, 97), headers };
}

/** A storage that takes what `answer` lets it, when it lets it. */
function storage(answer: (put: number) => Promise<void> = async () => undefined) {
  const objects = new Map<string, string[]>();
  const failures: unknown[] = [];
  let puts = 0;
  const store = {
    put: async ({ key }: { key: string }, body: Buffer, signal: AbortSignal) => {
      signal.throwIfAborted();
      puts += 1;
      await answer(puts);
      objects.set(key, gunzipSync(body).toString().trim().split('\n'));
    },
  } as unknown as LetterStorage;
  const clock = new ManualClock();
  const place = { store, bucket: 'b', prefix: 'dl/' };
  const keeper = new LetterObjects({ place, clock, random: () => 0, onFailure: (error) => failures.push(error) });
  return { objects, failures, clock, keeper, puts: () => puts };
}

/** Lets all that is not waiting for the clock come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Until whoever tries again waits for the clock: a batch is packed beside the event loop. */
async function asleep(clock: ManualClock): Promise<void> {
  while (clock.sleeping === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('a flood is few objects, each within its bound; one day, route and cause to a folder', async () => {
  const { objects, keeper, clock } = storage();
  const all = Array.from({ length: 3000 }, (_, index) => keeper.append(letter(index, 'a', 5000), never));
  all.push(keeper.append(letter(0, 'b'), never));
  const progress = { done: false };
  const over = Promise.all(all).then(() => (progress.done = true));
  while (!progress.done) {
    await settle();
    await clock.advance(100);
  }
  await over;
  assert.ok(objects.size <= 6, `${objects.size} objects`);
  const ids = [...objects.values()].flat().map((line) => (JSON.parse(line) as { id: string }).id);
  assert.equal(new Set(ids).size, 3000);
  for (const [key, lines] of objects) {
    assert.match(key, /^dl\/1970\/01\/01\/producer\/[ab]\/[0-9a-f]{40}\.ndjson\.gz$/);
    assert.ok(lines.length * 5000 <= 4 * 1024 * 1024);
  }
});

test('while the storage is away it is tried again without end, and said; nothing is written of it meanwhile', async () => {
  let isAway = true;
  const { objects, failures, keeper, clock } = storage(async () => {
    if (isAway) throw away;
  });
  let done = false;
  const appended = keeper.append(letter(1), never).then(() => (done = true));
  for (let minute = 0; minute < 10; minute += 1) {
    await asleep(clock);
    await clock.advance(60_000);
  }
  assert.equal(done, false);
  assert.ok(failures.length >= 10);
  assert.match(keeper.notReady ?? '', /s3:\/\/b\/dl\/: letter-store-away/);
  isAway = false;
  await asleep(clock);
  await clock.advance(60_000);
  await appended;
  assert.equal(keeper.notReady, undefined);
  assert.equal(objects.size, 1);
});

test('what will not pass by itself ends after two minutes with its error, and what comes then is tried anew', async () => {
  let refuses = true;
  const { keeper, clock } = storage(async () => {
    if (refuses) throw refusing;
  });
  const appended = assert.rejects(keeper.append(letter(1), never), { code: 'letter-store-refuses' });
  const begunMs = clock.monotonicMs();
  while (clock.monotonicMs() - begunMs < 120_000) {
    await asleep(clock);
    await clock.advance(30_500);
  }
  await appended;
  refuses = false;
  await keeper.append(letter(2), never);
});

test('whoever stops waiting is let go at once; the object is given up when nobody waits any more', async () => {
  const { objects, keeper, clock, puts } = storage(async () => {
    throw away;
  });
  const [one, other] = [new AbortController(), new AbortController()];
  const rejected = [
    assert.rejects(keeper.append(letter(1), one.signal), /one/),
    assert.rejects(keeper.append(letter(2), other.signal), /other/),
  ];
  await asleep(clock);
  one.abort(new Error('one'));
  await rejected[0];
  const before = puts();
  await clock.advance(60_000);
  await asleep(clock);
  assert.ok(puts() > before, 'the other one still waits');
  other.abort(new Error('other'));
  await rejected[1];
  const last = puts();
  await clock.advance(600_000);
  await settle();
  assert.deepEqual([puts(), objects.size], [last, 0]);
});
