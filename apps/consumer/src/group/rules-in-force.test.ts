import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumedRecord, GroupCommit, PartitionSlice, ReadOptions, TopicPartition } from '@genesys-kafka/kafka';
import type { RoutingSettings } from '@genesys-kafka/routing';
import { noteWithTopicId } from './commit-note.ts';
import { findRulesApart, newRoutes, placesInForce, rulesNote, type RulesInForce } from './rules-in-force.ts';

type Rules = Readonly<Record<string, string>>;

function settingsOf(rules: Rules): RoutingSettings {
  return {
    connector: 'c',
    kafka: { topicPrefix: 'p.' },
    routes: Object.entries(rules).map(([name, when]) => ({ name, when, sink: 's', priority: 'normal', retry: {} })),
    retry: { tiersMs: [1000], attempts: 1, blocking: false },
  };
}

/** Offset of each group in the one partition of a topic, and the rules by which it came there. */
type Places = Readonly<Record<string, readonly [offset: number, rules: Rules | undefined]>>;

interface Given {
  readonly now: Rules;
  readonly main: Places;
  readonly retry?: Places;
  /** `r` for a record, `m` for a marker, at each offset of each topic. */
  readonly log?: string;
  readonly first?: number;
}

function inForce({ now, main, retry = {}, log = 'r'.repeat(100), first = 0 }: Given): RulesInForce {
  const client = {
    admin: {
      offsets: async () => [{ partition: 0, first: BigInt(first), end: BigInt(log.length) }],
      async groupCommits(groupId: string, topic: string): Promise<ReadonlyMap<number, GroupCommit>> {
        assert.match(groupId, /^p\.c\./);
        const place = (topic === 'main' ? main : retry)[groupId.slice('p.c.'.length)];
        if (!place) return new Map();
        const [offset, rules] = place;
        // What exact sinks keep beside the rules changes nothing.
        const own = ['', 'batch=9:0ab ', 'target=0ab:9 '][offset % 3];
        const note = rules ? noteWithTopicId(`${own}${rulesNote(settingsOf(rules))}`, 'one') : '';
        return new Map([[0, { offset: BigInt(offset), note }]]);
      },
    },
    async *read({ topic, partition }: TopicPartition, { from }: ReadOptions): AsyncGenerator<PartitionSlice, void> {
      assert.ok(typeof from === 'bigint' && from >= BigInt(first));
      const end = BigInt(log.length);
      const records = Array.from(log).flatMap((kind, at): ConsumedRecord[] => {
        const place = { topic, partition, offset: BigInt(at), timestampMs: 0 };
        return kind === 'r' && place.offset >= from ? [{ ...place, key: null, value: null, headers: {} }] : [];
      });
      yield { records, nextOffset: end, lastStableOffset: end, highWatermark: end };
    },
  };
  return { client, settings: settingsOf(now), topics: ['main', 'retry-1'], signal: new AbortController().signal };
}

/** Whether a start with the rules of now is refused, and why. */
async function refusal(given: Given): Promise<string> {
  const start = inForce(given);
  const found = await findRulesApart(start, await placesInForce(start));
  if (found) assert.equal(found.code, 'rules-changed');
  return found?.message ?? '';
}

const BEFORE: Rules = { a: 'record.x == 1.0', b: 'record.x == 2.0' };
/** What was x = 1 and a's is b's by now. */
const AFTER: Rules = { a: 'record.x == 3.0', b: 'record.x == 1.0' };

const at = (a: number, b: number, unrouted: number, rules: Rules | undefined): Places => ({
  a: [a, rules],
  b: [b, rules],
  unrouted: [unrouted, rules],
});

test('rules that were changed while the groups stand apart would pass a record over, and the start says so', async () => {
  const message = await refusal({ now: AFTER, main: at(10, 20, 20, BEFORE) });
  assert.match(
    message,
    /groups of a and (b|unrouted) stand apart in main partition 0, at 10 and 20\..*--drain.*--accept/,
  );
});

test('where the groups stand level, or only markers lie between them, a change is taken over', async () => {
  assert.equal(await refusal({ now: AFTER, main: at(20, 20, 20, BEFORE) }), '');
  assert.equal(await refusal({ now: AFTER, main: at(19, 20, 20, BEFORE), log: `${'r'.repeat(19)}mrrr` }), '');
});

test('unchanged rules ask nothing, in whatever order they stand; offsets of earlier versions are taken as they are', async () => {
  assert.equal(await refusal({ now: BEFORE, main: at(10, 20, 30, BEFORE) }), '');
  const { a, b } = BEFORE as { a: string; b: string };
  assert.equal(await refusal({ now: { b, a }, main: at(10, 20, 30, BEFORE) }), '');
  assert.equal(await refusal({ now: AFTER, main: at(10, 20, 30, undefined) }), '');
});

test('a route is new beyond doubt where the offsets of the others name the routes there were, and not this one', async () => {
  const three = { ...BEFORE, c: 'record.x == 2.0' };
  const newIn = async (given: Given) => [...newRoutes(settingsOf(given.now), await placesInForce(inForce(given)))];
  assert.deepEqual(await newIn({ now: three, main: at(10, 20, 30, BEFORE) }), ['c']);
  assert.deepEqual(await newIn({ now: three, main: at(10, 20, 30, three) }), [], 'its offsets have expired');
  assert.deepEqual(await newIn({ now: three, main: { ...at(10, 20, 30, BEFORE), c: [5, three] } }), []);
  assert.deepEqual(await newIn({ now: three, main: {} }), [], 'nobody says so');
  assert.deepEqual(await newIn({ now: three, main: at(10, 20, 30, undefined) }), [], 'nor offsets of earlier versions');
});

test('a crash in the middle of a take-over goes on: who has moved stood level with the others before', async () => {
  const main: Places = { a: [30, AFTER], b: [20, BEFORE], unrouted: [20, BEFORE] };
  assert.equal(await refusal({ now: AFTER, main }), '');
});

test('rules that were changed and changed back are changed twice', async () => {
  const main: Places = { a: [30, AFTER], b: [20, BEFORE], unrouted: [30, AFTER] };
  assert.match(await refusal({ now: BEFORE, main }), /groups of b and (a|unrouted) stand apart/);
});

test('a new route begins at the start and misses nothing, a removed one must have come to where the others are', async () => {
  const three = { ...BEFORE, c: 'record.x == 2.0' };
  assert.equal(await refusal({ now: three, main: at(20, 20, 20, BEFORE) }), '');
  const main: Places = { ...at(20, 20, 20, three), c: [15, three] };
  assert.match(
    await refusal({ now: BEFORE, main }),
    /groups of c and \w+ stand apart in main partition 0, at 15 and 20/,
  );
  const level: Places = { ...main, c: [20, three] };
  assert.equal(await refusal({ now: BEFORE, main: level, retry: { c: [5, three], unrouted: [5, three] } }), '');
  // Its retries, which the group of unrouted records has passed over while they were its own.
  const retry: Places = { c: [3, three], unrouted: [5, three] };
  assert.match(await refusal({ now: BEFORE, main: level, retry }), /stand apart in retry-1 partition 0, at 3 and 5/);
  assert.equal(
    await refusal({ now: AFTER, main: at(20, 20, 20, BEFORE), retry: { a: [3, BEFORE], b: [5, BEFORE] } }),
    '',
  );
});

test('a route that comes gives away what nobody else took: others may stand apart; one that comes with a change may not', async () => {
  const three = { ...BEFORE, c: 'record.x == 2.0' };
  assert.equal(await refusal({ now: three, main: at(10, 20, 30, BEFORE) }), '');
  // It has come to some place already, and others are still where they were.
  assert.equal(await refusal({ now: three, main: { ...at(10, 20, 30, BEFORE), c: [5, three] } }), '');
  const changed = { ...AFTER, c: 'record.x == 2.0' };
  assert.match(await refusal({ now: changed, main: at(10, 20, 30, BEFORE) }), /stand apart/);
  const { a } = BEFORE as { a: string };
  assert.match(await refusal({ now: { a, c: three.c }, main: at(10, 20, 30, BEFORE) }), /stand apart/, 'another name');
  // It had another rule when it was there before.
  const other: Rules = { ...BEFORE, c: 'record.x == 9.0' };
  assert.match(await refusal({ now: three, main: { ...at(10, 20, 30, BEFORE), c: [25, other] } }), /stand apart/);
});

test('what retention deleted is not missed by anybody', async () => {
  assert.equal(await refusal({ now: AFTER, main: at(10, 20, 20, BEFORE), first: 20 }), '');
});

test('names of very many routes do not fit beside an offset, their rules do', () => {
  const many = Object.fromEntries(Array.from({ length: 900 }, (_, nth) => [`route-${nth}`, 'true']));
  assert.match(rulesNote(settingsOf(many)), /^rules=[0-9a-f]{16}$/);
});
