import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { noteWithTopicId } from './commit-note.ts';
import { GroupPlaces } from './group-places.ts';

const partition = { topic: 't', partition: 0 };

interface Setting {
  /** Of partition 0, if it has one. */
  readonly committed?: bigint;
  /** Another partition has a committed offset. */
  readonly isKnown?: boolean;
  readonly isNew?: boolean;
  readonly first: bigint;
  readonly end: bigint;
  readonly accept?: boolean;
  readonly topicIds?: Map<string, string>;
  readonly note?: string;
  /** Where it is recorded to have begun. */
  readonly start?: bigint;
}

function setUp({
  committed,
  isKnown = false,
  isNew = false,
  first,
  end,
  accept = false,
  topicIds = new Map(),
  note = '',
  start,
}: Setting) {
  const state = { first, end, id: 'one' as string | undefined, questions: 0 };
  const accepted: unknown[] = [];
  const clock = new ManualClock();
  const places = new GroupPlaces({
    admin: {
      offsets: async () => [{ partition: 0, first: state.first, end: state.end }],
      groupCommits: async () => {
        state.questions += 1;
        return new Map([
          ...(committed === undefined ? [] : [[0, { offset: committed, note }] as const]),
          ...(isKnown ? [[1, { offset: 5n, note: '' }] as const] : []),
        ]);
      },
      topicId: async () => state.id,
    },
    ...{ groupId: 'g', topicIds, isNew, accept, clock },
    startOf: () => start,
    onAccepted: (error) => accepted.push(error),
  });
  /** What becomes of it once all doubts are over. */
  const after = async <T>(place: Promise<T>): Promise<T> => {
    place.catch(() => undefined);
    await clock.advance(10_000);
    return place;
  };
  return { places, state, accepted, clock, after };
}

test('a committed offset inside the log or at its end is where it goes on; a new group begins at the topic’s start', async () => {
  for (const committed of [5n, 7n, 9n]) {
    assert.equal(await setUp({ committed, first: 5n, end: 9n }).places.goOnAt(partition), committed);
  }
  assert.equal(await setUp({ first: 0n, end: 9n }).places.goOnAt(partition), 0n);
  assert.equal(await setUp({ isKnown: true, first: 0n, end: 9n }).places.goOnAt(partition), 0n, 'a new partition');
});

test('a committed offset below the log is a loss, above it a topic that was made anew', async () => {
  const below = setUp({ committed: 3n, first: 5n, end: 9n });
  await assert.rejects(below.places.goOnAt(partition), /2 offsets were deleted before they were read/);
  const above = setUp({ committed: 12n, first: 5n, end: 9n });
  await assert.rejects(above.after(above.places.goOnAt(partition)), /created anew/);
});

test('a group that is new beyond doubt begins where the log does; what it had and lost is a gap all the same', async () => {
  assert.equal(await setUp({ isNew: true, first: 5n, end: 9n }).places.goOnAt(partition), 5n);
  for (const committed of [-2n, 3n]) {
    const { places, after } = setUp({ isNew: true, committed, first: 5n, end: 9n });
    await assert.rejects(after(places.goOnAt(partition)), { code: 'records-gone' });
  }
});

test('a negative committed offset, or none where the log starts above 0, is a gap', async () => {
  const reset = setUp({ committed: -2n, first: 0n, end: 9n });
  await assert.rejects(reset.places.goOnAt(partition), { code: 'records-gone', message: /the client has reset it/ });
  for (const isKnown of [true, false]) {
    const missing = setUp({ isKnown, first: 5n, end: 9n });
    await assert.rejects(missing.places.goOnAt(partition), { code: 'records-gone', message: /the log begins at 5/ });
  }
});

test('in the middle of a run: ahead of an end that was read before is sound, deleted records are a loss', async () => {
  const { places } = setUp({ committed: 0n, first: 5n, end: 9n });
  assert.equal(await places.goOnAt(partition, 6n), 6n);
  assert.equal(await places.goOnAt(partition, 11n), 11n);
  await assert.rejects(places.goOnAt(partition, 4n), { code: 'records-gone' });
});

test('a position that a broker refuses to read at and that lies behind the end is a topic made anew, once that stays so', async () => {
  const anew = setUp({ committed: 700n, first: 0n, end: 400n });
  await assert.rejects(anew.after(anew.places.goOnAt(partition, 700n, true)), { code: 'records-gone' });
  // A new leader that knew an older end for a moment.
  const moved = setUp({ committed: 700n, first: 0n, end: 690n });
  const place = moved.places.goOnAt(partition, 700n, true);
  await moved.clock.advance(1500);
  moved.state.end = 700n;
  assert.equal(await moved.after(place), 700n);
});

test('a topic with another id was made anew, although it holds more records than were read of the old one', async () => {
  const { places, state, after, clock } = setUp({ committed: 300n, first: 0n, end: 1500n });
  assert.equal(await places.goOnAt(partition), 300n);
  await places.checkTopics(['t']);
  state.id = 'two';
  await assert.rejects(after(places.checkTopics(['t', 't'])), {
    code: 'records-gone',
    message: /deleted and created anew/,
  });
  await assert.rejects(after(places.goOnAt(partition, 300n)), { code: 'records-gone' });
  // One broker that has not heard of it yet, or does not know ids, is no verdict.
  const checked = places.checkTopics(['t']);
  await clock.advance(1500);
  state.id = 'one';
  await after(checked);
  state.id = undefined;
  await places.checkTopics(['t']);
});

test('the ids are kept over memberships: a topic made anew while the group was away is told', async () => {
  const topicIds = new Map<string, string>();
  await setUp({ committed: 3n, first: 0n, end: 9n, topicIds }).places.goOnAt(partition);
  const next = setUp({ first: 0n, end: 9n, topicIds });
  next.state.id = 'two';
  await assert.rejects(next.after(next.places.goOnAt(partition)), { code: 'records-gone' });
});

test('an offset of the topic’s predecessor is no place in this one, also for a process that has just started', async () => {
  const setting = { committed: 3n, first: 0n, end: 9n };
  const earlier = { ...setting, note: noteWithTopicId('rules=ab', 'zero') };
  const left = setUp(earlier);
  await assert.rejects(left.after(left.places.goOnAt(partition)), { code: 'records-gone', message: /created anew/ });
  const accepting = setUp({ ...earlier, accept: true });
  assert.equal(await accepting.after(accepting.places.goOnAt(partition)), 0n);
  for (const note of [noteWithTopicId('rules=ab', 'one'), noteWithTopicId('rules=ab', undefined)]) {
    assert.equal(await setUp({ ...setting, note }).places.goOnAt(partition), 3n);
  }
});

test('an accepted loss is told and gone over at the log’s start; partitions of one topic share a question', async () => {
  const { places, accepted, state } = setUp({ committed: 3n, first: 5n, end: 9n, accept: true });
  assert.deepEqual(await Promise.all([places.goOnAt(partition), places.goOnAt(partition)]), [5n, 5n]);
  assert.equal(accepted.length, 2);
  assert.equal(state.questions, 1);
});

test('a recorded start counts where nothing is committed, also after the offsets have expired; what was deleted since is told', async () => {
  const begins = setUp({ start: 7n, first: 3n, end: 9n });
  assert.equal(await begins.places.goOnAt(partition), 7n);
  const goesOn = setUp({ start: 7n, committed: 8n, first: 3n, end: 9n });
  assert.equal(await goesOn.places.goOnAt(partition), 8n);
  const gone = setUp({ start: 7n, first: 8n, end: 9n });
  await assert.rejects(gone.after(gone.places.goOnAt(partition)), { code: 'records-gone' });
});
