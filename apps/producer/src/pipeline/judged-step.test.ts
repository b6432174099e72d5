import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, type OutgoingRecord } from '@genesys-kafka/kafka';
import type { RecordVersion, Turn, Verdict } from '@genesys-kafka/ledger';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import fc from 'fast-check';
import { INLINE_STAGER, newSource, sourceOptions, MemoryLane } from '../../fixtures/memory-lane.ts';
import { conversations } from '../../fixtures/records.ts';
import type { SourceFacts } from '../stage/thread-messages.ts';
import type { StagedBatch, StagedStep } from '../stage/staged-step.ts';
import { judgedStep } from './judged-step.ts';
import { inSegments } from './segments.ts';
import { SourcePublisher } from './source-publisher.ts';

const SUBMITTED = '2026-01-02T03:04:05.678Z';
const source = { id: 'job-1', jobId: 'job-1', submittedAt: SUBMITTED };
const FACTS: SourceFacts = { window: 'w', source, change: 'new', availableUntil: '2026-01-02T00:00:00.000Z' };

function scan(records: readonly string[]): readonly ScannedRecord[] {
  return new RecordScanner({ maxRecordBytes: 100_000, maxDepth: 20 }).push(Buffer.from(`[${records.join(',')}]`));
}

async function stepOf(records: readonly string[], facts = FACTS): Promise<StagedStep> {
  for await (const segment of inSegments([scan(records)], 0)) return INLINE_STAGER.stage(segment, facts);
  assert.fail('no records');
}

/** Says of each record, in its turn, what a test wants, and notes what it was asked. */
class Script implements Turn {
  readonly asked: { readonly key: string; readonly digest: string; readonly version: RecordVersion }[] = [];
  readonly #verdictOn: (key: string) => Verdict;
  isKept = false;

  constructor(verdictOn: (key: string) => Verdict) {
    this.#verdictOn = verdictOn;
  }

  judge(id: Buffer, digest: Buffer, version: RecordVersion): Verdict {
    this.asked.push({ key: String(id), digest: digest.toString('hex'), version });
    return this.#verdictOn(String(id));
  }

  judgeInvalid(digest: Buffer, version: RecordVersion): 'new' | 'unchanged' {
    this.asked.push({ key: '', digest: digest.toString('hex'), version });
    return this.#verdictOn('') === 'unchanged' ? 'unchanged' : 'new';
  }

  digests = async () => [];

  keep(): void {
    this.isKept = true;
  }
}

const textOf = (value: string | Buffer | undefined) => value?.toString();

async function described(batches: readonly StagedBatch[]) {
  const parts = batches.map(async ({ topic, partition, batch }) => {
    const records = await decodeBatch(batch);
    assert.equal(records.length, batch.count);
    return records.map((record: OutgoingRecord) => {
      const { change, ...headers } = record.headers ?? {};
      const rest = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      return {
        topic,
        partition,
        key: String(record.key),
        value: (record.value as Buffer).toString(),
        rest,
        change: textOf(change),
      };
    });
  });
  return (await Promise.all(parts)).flat();
}

test('a batch of which all is new goes as it is; of one without any nothing is left, nor of dead letters that are there', async () => {
  const step = await stepOf([...conversations('a', 8), '0', '{"conversationId": 1}']);
  const all = new Script(() => 'new');
  const whole = await judgedStep(step, all);
  assert(whole.batches.every((batch, index) => batch === step.batches[index]));
  assert.deepEqual([whole.unchanged, whole.stale, all.asked.length], [0, 0, 10]);
  const none = await judgedStep(
    step,
    new Script((key) => (key === '' ? 'new' : key.endsWith('1') ? 'stale' : 'unchanged')),
  );
  assert(none.batches.every(({ topic }) => topic === 'dead'));
  assert.equal((await described(none.batches)).length, 2);
  assert.equal(none.unchanged + none.stale, 8);
  const repeated = await judgedStep(step, new Script((key) => (key === '' ? 'unchanged' : 'new')));
  assert.equal((await described(repeated.batches)).length, 8);
  assert(repeated.batches.every(({ topic }) => topic === 'data'));
  assert.equal(repeated.unchanged, 0, 'counts are of conversations');
  assert((await described(step.batches)).every(({ topic, change }) => (topic === 'dead') === (change === undefined)));
});

test('a record is judged by its id, its digest and its version, as its headers have them', async () => {
  const script = new Script(() => 'unchanged');
  const step = await stepOf(conversations('a', 1));
  await judgedStep(step, script);
  const [record] = await described(step.batches);
  const headers = Object.fromEntries(record!.rest) as Record<string, string>;
  const version = { availableAtMs: Date.UTC(2026, 0, 2), submittedAtMs: Date.parse(SUBMITTED) };
  assert.deepEqual(script.asked, [{ key: record!.key, digest: headers['content-digest'], version }]);
  const unknown = new Script(() => 'unchanged');
  await judgedStep(
    await stepOf(conversations('a', 1), { ...FACTS, source: { id: 'x' }, availableUntil: 'soon' }),
    unknown,
  );
  assert.deepEqual(unknown.asked[0]?.version, {});
});

const verdicts = fc.array(fc.constantFrom<Verdict>('new', 'changed', 'unchanged', 'stale'), {
  minLength: 20,
  maxLength: 20,
});

test('law: what is left is what was staged, without what is not published, and says what has changed', async () => {
  const step = await stepOf(conversations('a', 20));
  const before = await described(step.batches);
  const keys = before.map(({ key }) => key);
  await fc.assert(
    fc.asyncProperty(verdicts, async (all) => {
      const verdictOn = (key: string) => all[keys.indexOf(key)]!;
      const { batches, unchanged, stale } = await judgedStep(step, new Script(verdictOn));
      const expected = before
        .map((record) => ({ ...record, change: verdictOn(record.key) }))
        .filter(({ change }) => change === 'new' || change === 'changed');
      assert.deepEqual(await described(batches), expected);
      assert.equal(unchanged, all.filter((one) => one === 'unchanged').length);
      assert.equal(stale, all.filter((one) => one === 'stale').length);
    }),
  );
});

test('what is not published counts, and the position goes past it; older counts only where there is any', async () => {
  const counts = async (verdictOn: (key: string) => Verdict) => {
    const lane = new MemoryLane();
    const script = new Script(verdictOn);
    const judge = {
      inTurn: async <T>(work: (turn: Turn) => Promise<T>) => work(script),
      [Symbol.dispose]: () => undefined,
    };
    const told: unknown[] = [];
    const onRecords = (more: unknown) => void told.push(more);
    const publisher = new SourcePublisher(lane.publisher, newSource(), sourceOptions({ judge, onRecords }));
    await publisher.publish(await stepOf([...conversations('a', 5), '0']));
    const entry = await publisher.finish('done');
    assert.equal(entry.position.records, 6);
    assert.equal(lane.ordinals.data.length, entry.counts.published);
    assert.deepEqual(told, [entry.counts]);
    assert(script.isKept);
    return entry.counts;
  };
  assert.deepEqual(await counts(() => 'unchanged'), { read: 6, published: 0, invalid: 1, unchanged: 5 });
  assert.deepEqual(await counts(() => 'stale'), { read: 6, published: 0, invalid: 1, unchanged: 0, stale: 5 });
  assert.deepEqual(await counts(() => 'changed'), { read: 6, published: 5, invalid: 1, unchanged: 0 });
});
