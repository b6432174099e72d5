import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { PartitionSlice, ReadOptions } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import { batchesOf } from '../../fixtures/batches.ts';
import { MemoryBroker } from '../../fixtures/memory-broker.ts';
import type { LedgerEntry } from '../entries.ts';
import { isLaneInterrupted, LanePublisher } from '../publisher.ts';
import { LaneDigests, type LaneDigestsOptions } from './lane-digests.ts';
import { TAG_BYTES, type Verdict } from './packed-state.ts';

const [DATA, LEDGER, DIGESTS] = ['data', 'ledger', 'digests'].map((topic) => ({ topic, partition: 0 }));
const limits = { transactionBytes: 600, transactionMs: 5000, bufferBytes: 2000, stepBytes: 1000 };
const NOW = Date.UTC(2026, 0, 20);

/** What a window reads: ids of conversations and what they hold, at most some in a step. */
interface Reading {
  readonly day: string;
  /** Of the job: readings of one day compete. */
  readonly submittedAtMs: number;
  readonly records: readonly (readonly [id: string, content: string])[];
}

/** A record as a reader finds it on the data topic. */
interface Found {
  readonly day: string;
  readonly id: string;
  readonly content: string;
  readonly submittedAtMs: number;
  readonly verdict: Verdict;
}

/** A lane that is claimed anew whenever it is interrupted; what it knows of windows is what is committed of them. */
class Lane {
  readonly broker = new MemoryBroker();
  tag = Buffer.alloc(TAG_BYTES, 1);
  deadLettersTag = Buffer.alloc(TAG_BYTES, 2);
  #nonce = 0;

  /** As one process holds it. */
  hold(others: Partial<LaneDigestsOptions> = {}): { readonly publisher: LanePublisher; readonly digests: LaneDigests } {
    this.#nonce += 1;
    const identity = { transactionalId: 'lane', ledger: LEDGER!, digests: DIGESTS!, keyPrefix: '' };
    const lane = { identity, producer: this.broker.producer(), nonce: `n${this.#nonce}`, entries: new Map() };
    const clock = new ManualClock(NOW);
    const publisher = new LanePublisher(lane, limits, {}, clock);
    const format = { tag: this.tag, deadLettersTag: this.deadLettersTag, compression: 'none' as const };
    const signal = new AbortController().signal;
    const { client } = this.broker;
    const digests = new LaneDigests({ ...{ client, lane, publisher, format, signal, clock }, ...others });
    return { publisher, digests };
  }

  /** Takes all readings to their ends, side by side, through whatever interrupts the lane. */
  async run(readings: readonly Reading[]): Promise<void> {
    for (;;) {
      const held = this.hold();
      const results = await Promise.allSettled(readings.map(async (one, index) => this.#read(one, index, held)));
      await held.publisher.flush().catch(() => undefined);
      await held.publisher.close();
      const failed = results.find((result) => result.status === 'rejected');
      if (!failed && readings.every((one, index) => this.#position(index) === one.records.length)) return;
      if (failed) assert(isLaneInterrupted(failed.reason), String(failed.reason));
    }
  }

  async #read(reading: Reading, index: number, { publisher, digests }: ReturnType<Lane['hold']>): Promise<void> {
    const { day, records, submittedAtMs } = reading;
    using judge = digests.judge('s', day);
    for (let from = this.#position(index); from < records.length; from += 2) {
      const step = records.slice(from, from + 2);
      await judge.inTurn(async (turn) => {
        const judged = step.map(([id, content]): Found => {
          const verdict = turn.judge(Buffer.from(id), createHash('sha256').update(content).digest(), { submittedAtMs });
          return { day, id, content, submittedAtMs, verdict };
        });
        const published = judged.filter(({ verdict }) => verdict === 'new' || verdict === 'changed');
        const batches = batchesOf(
          published.map((found) => {
            return { ...DATA!, record: { key: found.id, value: Buffer.from(JSON.stringify(found)) } };
          }),
        );
        const written = await turn.digests();
        const position = { records: from + step.length, chain: '' };
        const entry = { v: 1, kind: 'window', position } as LedgerEntry;
        const taken = publisher.write({ key: String(index), entry, batches, digests: written });
        turn.keep();
        await taken;
      });
    }
  }

  #position(index: number): number {
    const last = this.broker.read(LEDGER!).findLast(({ key }) => key === String(index));
    return last?.value ? (JSON.parse(String(last.value)) as LedgerEntry).position.records : 0;
  }

  found(): Found[] {
    return this.broker.read(DATA!).map(({ value }) => JSON.parse(String(value)) as Found);
  }
}

const readings = fc.array(
  fc.record({
    day: fc.constantFrom('2026-01-01', '2026-01-02'),
    submittedAtMs: fc.integer({ min: 1, max: 3 }).map((day) => Date.UTC(2026, 0, 2 + day)),
    records: fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('A', 'B', 'C')), { maxLength: 12 }),
  }),
  { maxLength: 4 },
);
const rounds = fc.array(
  fc.record({ readings, failAt: fc.option(fc.integer({ min: 1, max: 25 })), isLost: fc.boolean() }),
  { minLength: 1, maxLength: 3 },
);

/** What each conversation and day saw, in the order of the topic. */
function assertHistory(found: readonly Found[]): Map<string, Found> {
  const last = new Map<string, Found>();
  for (const record of found) {
    const name = `${record.day} ${record.id}`;
    const before = last.get(name);
    assert.equal(record.verdict, before ? 'changed' : 'new', `${name}: ${record.content}`);
    assert.notEqual(record.content, before?.content, `${name} is there twice in a row, unchanged`);
    assert(!before || record.submittedAtMs >= before.submittedAtMs, `${name}: an older version after a newer one`);
    last.set(name, record);
  }
  return last;
}

test('law: nothing unchanged twice, nothing older after newer, nothing lost, whatever interrupts the lane', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (all) => {
      const lane = new Lane();
      for (const { readings: round, failAt, isLost } of all) {
        lane.broker.forget(LEDGER!);
        if (failAt !== null) lane.broker.failNext(failAt, isLost);
        await lane.run(round);
        const found = lane.found();
        const last = assertHistory(found);
        for (const { day, records, submittedAtMs } of round) {
          for (const [id, content] of records) {
            const isThere = found.some((one) => one.day === day && one.id === id && one.content === content);
            const isStale = last.get(`${day} ${id}`)!.submittedAtMs > submittedAtMs;
            assert(isThere || isStale, `${day} ${id} ${content} is lost`);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('law: windows one after the other publish what a Map of the last ones says, whatever interrupts the lane', async () => {
  await fc.assert(
    fc.asyncProperty(
      readings,
      fc.array(fc.tuple(fc.integer({ min: 1, max: 15 }), fc.boolean())),
      async (all, faults) => {
        const lane = new Lane();
        const last = new Map<string, { readonly content: string; readonly submittedAtMs: number }>();
        const expected: string[] = [];
        for (const [index, one] of all.entries()) {
          for (const [id, content] of one.records) {
            const name = `${one.day} ${id}`;
            const before = last.get(name);
            if (before && (before.content === content || one.submittedAtMs < before.submittedAtMs)) continue;
            last.set(name, { content, submittedAtMs: one.submittedAtMs });
            expected.push(`${name} ${content} ${before ? 'changed' : 'new'}`);
          }
          lane.broker.forget(LEDGER!);
          if (faults[index]) lane.broker.failNext(...faults[index]);
          await lane.run([one]);
        }
        const found = lane.found().map(({ day, id, content, verdict }) => `${day} ${id} ${content} ${verdict}`);
        assert.deepEqual(found, expected);
      },
    ),
    { numRuns: 300 },
  );
});

const reading = (day: string, hour: number, ...records: readonly (readonly [string, string])[]): Reading => {
  return { day, submittedAtMs: Date.UTC(2026, 0, 5, hour), records };
};

/** Of one more run over these windows. */
async function published(lane: Lane, ...all: readonly Reading[]): Promise<string[]> {
  const before = lane.found().length;
  lane.broker.forget(LEDGER!);
  await lane.run(all);
  return lane
    .found()
    .slice(before)
    .map(({ id, content, verdict }) => `${id}${content} ${verdict}`);
}

test('a day begins anew where its digests are gone, or speak of other topics', async () => {
  const lane = new Lane();
  const day = reading('2026-01-01', 1, ['x', 'A'], ['y', 'A']);
  assert.deepEqual(await published(lane, day), ['xA new', 'yA new']);
  assert.deepEqual(await published(lane, day), []);
  lane.tag = Buffer.alloc(TAG_BYTES, 2);
  assert.deepEqual(await published(lane, day), ['xA new', 'yA new']);
  assert.deepEqual(await published(lane, day), []);
  lane.broker.forget(DIGESTS!);
  assert.deepEqual(await published(lane, day), ['xA new', 'yA new']);
});

test('days, and scopes, know nothing of each other', async () => {
  const lane = new Lane();
  assert.deepEqual(await published(lane, reading('2026-01-01', 1, ['x', 'A'])), ['xA new']);
  assert.deepEqual(await published(lane, reading('2026-01-02', 1, ['x', 'A'])), ['xA new']);
  assert.deepEqual(await published(lane, reading('2026-01-01', 2, ['x', 'A'], ['x', 'B'], ['x', 'A'])), [
    'xB changed',
    'xA changed',
  ]);
});

test('digests of days that are over end, all of them and no others; they are known no more', async () => {
  const lane = new Lane();
  const days = ['2026-01-01', '2026-01-02', '2026-01-03'].map((day) => reading(day, 1, ['x', 'A'], ['y', 'A']));
  await published(lane, ...days);
  const { publisher, digests } = lane.hold();
  assert.equal(await digests.expire('other', '2026-01-03'), 0);
  assert.equal(await digests.expire('s', '2026-01-03'), 4);
  await publisher.flush();
  assert.equal(await digests.expire('s', '2026-01-03'), 0);
  await publisher.flush();
  await publisher.close();
  const ended = lane.broker.read(DIGESTS!).filter(({ value }) => value === null);
  assert.deepEqual(
    ended.map(({ key }) => key).sort(),
    ['2026-01-01', '2026-01-02'].flatMap((day) => [`s/${day}/x`, `s/${day}/y`]),
  );
  assert.deepEqual(await published(lane, ...days.slice(1)), ['xA new', 'yA new']);
});

test('digests end a few at a time, past those that have ended and still lie there', async () => {
  const lane = new Lane();
  await published(lane, reading('2026-01-01', 1, ['x', 'A'], ['y', 'A'], ['z', 'A']));
  const { publisher, digests } = lane.hold();
  for (let left = 3; left > 0; left -= 1) assert.equal(await digests.expire('s', '2026-01-02', 1), 1);
  assert.equal(await digests.expire('s', '2026-01-02', 1), 0);
  await publisher.close();
  const ended = lane.broker.read(DIGESTS!).filter(({ value }) => value === null);
  assert.deepEqual(
    ended.map(({ key }) => key).sort(),
    ['x', 'y', 'z'].map((id) => `s/2026-01-01/${id}`),
  );
});

test('a day is loaded for the first record that is judged, and let go with its last window', async () => {
  const lane = new Lane();
  await published(lane, reading('2026-01-01', 1, ['x', 'A']));
  const { publisher, digests } = lane.hold();
  const marks = () => lane.broker.read(DIGESTS!).filter(({ key }) => key.startsWith('claim/')).length;
  const before = marks();
  const [one, other] = [digests.judge('s', '2026-01-01'), digests.judge('s', '2026-01-01')];
  assert.equal(marks(), before);
  await Promise.all([one, other].map(async (judge) => judge.inTurn(async () => undefined)));
  assert.equal(marks(), before + 1);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  await other.inTurn(async () => undefined);
  assert.equal(marks(), before + 1);
  other[Symbol.dispose]();
  using again = digests.judge('s', '2026-01-01');
  await again.inTurn(async () => undefined);
  assert.equal(marks(), before + 2);
  await publisher.close();
});

test('where another transaction stays open in front of the mark, it is told after a minute, and a stop ends it at once', async () => {
  const lane = new Lane();
  const clock = new ManualClock(NOW);
  const stop = new AbortController();
  const { publisher, digests } = lane.hold({ clock, signal: stop.signal, client: { read: hidden } });
  const seen = Promise.withResolvers<undefined>();
  let polls = 0;
  async function* hidden(_: unknown, { signal }: ReadOptions): AsyncGenerator<PartitionSlice> {
    for (;;) {
      signal?.throwIfAborted();
      await setImmediate();
      polls += 1;
      if (polls > 3) seen.resolve(undefined);
      yield { records: [], nextOffset: 0n, lastStableOffset: 0n, highWatermark: 9n };
    }
  }
  using judge = digests.judge('s', '2026-01-01');
  const load = async () => judge.inTurn(async () => undefined);
  const blocked = assert.rejects(load(), { code: 'ledger-blocked' });
  await seen.promise;
  await clock.advance(61_000);
  await blocked;
  const stopped = assert.rejects(load(), /enough/);
  stop.abort(new Error('enough'));
  await stopped;
  await publisher.close();
});

test('nothing of a turn that fails before its records are taken is kept in mind', async () => {
  const lane = new Lane();
  const { publisher, digests } = lane.hold();
  using judge = digests.judge('s', '2026-01-01');
  const verdicts: Verdict[] = [];
  const digest = createHash('sha256').update('A').digest();
  const attempt = async (fails: boolean) =>
    judge.inTurn(async (turn) => {
      verdicts.push(turn.judge(Buffer.from('x'), digest, {}));
      if (fails) throw new Error('no memory to encode it');
      turn.keep();
    });
  await assert.rejects(attempt(true), /no memory/);
  await attempt(false);
  await attempt(false);
  assert.deepEqual(verdicts, ['new', 'new', 'unchanged']);
  await publisher.close();
});

test('a record that is no conversation is a dead letter once a day, as long as that lies where it was put', async () => {
  const lane = new Lane();
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const read = async (day: string, submittedAtMs: number, texts: readonly string[]) => {
    const { publisher, digests } = lane.hold();
    using judge = digests.judge('s', day);
    const verdicts: string[] = [];
    await judge.inTurn(async (turn) => {
      for (const text of texts) verdicts.push(turn.judgeInvalid(digest(text), { submittedAtMs }));
      const written = await turn.digests();
      const taken = publisher.writeDigests(written);
      turn.keep();
      await taken;
    });
    await publisher.flush();
    await publisher.close();
    return verdicts.join(' ');
  };
  // The same bytes twice in one reading are two records.
  assert.equal(await read('2026-01-01', 1000, ['null', '{"a":1}', 'null']), 'new new new');
  assert.equal(
    await read('2026-01-01', 2000, ['null', '{"a":1}', 'null', '{"a":2}']),
    'unchanged unchanged unchanged new',
  );
  assert.equal(await read('2026-01-02', 3000, ['null']), 'new', 'of another day');
  lane.tag = Buffer.alloc(TAG_BYTES, 7);
  assert.equal(await read('2026-01-01', 4000, ['null']), 'unchanged');
  lane.deadLettersTag = Buffer.alloc(TAG_BYTES, 8);
  assert.equal(await read('2026-01-01', 5000, ['null']), 'new', 'the dead-letter topic is another one');
  assert.equal(await lane.hold().digests.expire('s', '2026-01-02'), 3);
});
