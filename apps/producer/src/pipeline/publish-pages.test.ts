import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Availability, LedgerEntry } from '@genesys-kafka/ledger';
import { ParserError } from '@genesys-kafka/record-parser';
import { INLINE_STAGER, MemoryLane, newSource, sourceOptions } from '../../fixtures/memory-lane.ts';
import { conversations } from '../../fixtures/records.ts';
import { publishPages } from './publish-pages.ts';
import { SourcePublisher } from './source-publisher.ts';

const READING = { stager: INLINE_STAGER, scan: { maxRecordBytes: 100_000, maxDepth: 20 } };
const never = new AbortController().signal;

/** Pages by the cursor that asks for them; '' is the first. */
type Job = Readonly<
  Record<string, { readonly records: readonly string[]; readonly next?: string; readonly at?: string }>
>;

function page({ records, next, at }: Job[string]): Buffer {
  const cursor = next === undefined ? '' : `,"cursor":${JSON.stringify(next)}`;
  const available = at === undefined ? '' : `"dataAvailabilityDate":"${at}",`;
  return Buffer.from(`{${available}"conversations":[${records.join(',')}]${cursor}}`);
}

/** Reads the job from where `entry` stands. `failAt` breaks the n-th fetch. */
async function read(job: Job, entry: LedgerEntry, failAt = Number.POSITIVE_INFINITY) {
  const lane = new MemoryLane();
  const source = new SourcePublisher(lane.publisher, entry, sourceOptions());
  const asked: string[] = [];
  const fetchPage = async (cursor = ''): Promise<Buffer> => {
    asked.push(cursor);
    if (asked.length === failAt) throw new Error('the connection broke');
    assert(job[cursor], `no page for cursor ${cursor}`);
    return page(job[cursor]);
  };
  let error: unknown;
  let availability: Availability | undefined;
  try {
    availability = await publishPages(fetchPage, source, READING, never);
  } catch (thrown) {
    error = thrown;
  }
  await lane.publisher.flush();
  const ordinals = [...lane.ordinals.data].toSorted((a, b) => a - b);
  return {
    asked,
    error: error as { code?: string; message: string } | undefined,
    availability,
    ordinals,
    entry: lane.entry ?? entry,
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

const JOB: Job = {
  '': { records: conversations('a', 3), next: 'b', at: '2026-01-01T00:00:00Z' },
  b: { records: [], next: 'c' },
  c: { records: conversations('c', 2), next: 'd', at: '2026-01-02T00:00:00Z' },
  d: { records: conversations('d', 1) },
};

test('follows the cursor past an empty page to the page without one, ordinals running on', async () => {
  const { asked, ordinals, availability, error } = await read(JOB, newSource());
  assert.equal(error, undefined);
  assert.deepEqual(asked, ['', 'b', 'c', 'd']);
  assert.deepEqual(ordinals, range(0, 6));
  assert.deepEqual(availability, { until: '2026-01-01T00:00:00.000Z' });
});

test('a page gives its memory back once it is staged', async () => {
  const lane = new MemoryLane();
  const bodies: Buffer[] = [];
  const job: Job = { '': { records: conversations('a', 250), next: 'b' }, b: { records: conversations('b', 3) } };
  const fetchPage = async (cursor = ''): Promise<Buffer> => {
    const body = page(job[cursor]!);
    // In memory of its own, as an answer is.
    const own = Buffer.allocUnsafeSlow(body.length);
    body.copy(own);
    bodies.push(own);
    return own;
  };
  await publishPages(fetchPage, new SourcePublisher(lane.publisher, newSource(), sourceOptions()), READING, never);
  await lane.publisher.flush();
  assert.equal(lane.ordinals.data.length, 253);
  assert.deepEqual(
    bodies.map(({ length }) => length),
    [0, 0],
  );
});

test('whichever fetch breaks, the next run goes on at that page, and each record is there once', async () => {
  for (let failAt = 1; failAt <= 4; failAt += 1) {
    const first = await read(JOB, newSource(), failAt);
    assert.match(first.error?.message ?? '', /connection broke/);
    const second = await read(JOB, first.entry);
    assert.equal(second.error, undefined);
    assert.deepEqual([...first.ordinals, ...second.ordinals], range(0, 6));
    assert.equal(second.asked[0], ['', 'b', 'c', 'd'][failAt - 1]);
  }
});

const LARGE: Job = { '': { records: conversations('a', 250), next: 'b' }, b: { records: conversations('b', 150) } };

/** The ledger's entry after the first steps of a run that was killed between them. */
async function killedInside(cursor: '' | 'b'): Promise<LedgerEntry> {
  const lane = new MemoryLane();
  const steps: LedgerEntry[] = [];
  const source = new SourcePublisher(
    lane.publisher,
    newSource(),
    sourceOptions({ onRecords: () => steps.push(source.entry) }),
  );
  await publishPages(async (at = '') => page(LARGE[at]!), source, READING, never);
  const inside = steps.find(({ position }) => position.page !== undefined && (position.cursor ?? '') === cursor);
  assert(inside, 'a large page goes in several steps');
  return inside;
}

for (const cursor of ['', 'b'] as const) {
  test(`killed inside page "${cursor}": goes on behind the records that are published`, async () => {
    const entry = await killedInside(cursor);
    const { ordinals, error, asked } = await read(LARGE, entry);
    assert.equal(error, undefined);
    assert.equal(asked[0], cursor);
    assert.deepEqual(ordinals, range(entry.position.records, 400));
  });

  test(`killed inside page "${cursor}", which has other records by then: source-changed, and none is published`, async () => {
    const entry = await killedInside(cursor);
    const records = LARGE[cursor]!.records;
    for (const other of [records.toReversed(), records.slice(1), records.with(-1, conversations('x', 1)[0]!)]) {
      const moved = { ...LARGE, [cursor]: { ...LARGE[cursor], records: other } };
      const { ordinals, error } = await read(moved, entry);
      assert.equal(error?.code, 'source-changed');
      assert.deepEqual(ordinals, []);
    }
  });
}

test('killed inside a page with a record that is too long to be kept: another length of it is another page', async () => {
  const [oversize, longer] = [120_000, 120_001].map((bytes) => {
    return conversations('long', 1)[0]!.replace('{', `{"note":"${'x'.repeat(bytes)}",`);
  });
  const pageOf = (long: string): Job => ({ '': { records: [...LARGE['']!.records.slice(0, 249), long] } });
  const lane = new MemoryLane();
  const steps: LedgerEntry[] = [];
  const options = sourceOptions({ onRecords: () => steps.push(source.entry) });
  const source = new SourcePublisher<LedgerEntry>(lane.publisher, newSource(), options);
  await publishPages(async () => page(pageOf(oversize!)['']!), source, READING, never);
  const inside = steps[0]!;
  assert((inside.position.page?.done ?? 0) > 0 && inside.position.records < 250);
  assert.equal((await read(pageOf(longer!), inside)).error?.code, 'source-changed');
  const again = await read(pageOf(oversize!), inside);
  assert.equal(again.error, undefined);
  assert.equal(again.entry.position.records, 250);
});

test('killed inside a page: the same text cut into other records is another page', async () => {
  const lane = new MemoryLane();
  const steps: LedgerEntry[] = [];
  const options = sourceOptions({ onRecords: () => steps.push(source.entry) });
  const source = new SourcePublisher<LedgerEntry>(lane.publisher, newSource(), options);
  const whole = conversations('a', 250);
  await publishPages(async () => page({ records: [...whole, '11', '1'] }), source, READING, never);
  const { error } = await read({ '': { records: [...whole, '1', '11'] } }, steps[0]!);
  assert.equal(error?.code, 'source-changed');
});

test('a page of more records than a page can have is none, and is not held in memory', async () => {
  const { ordinals, error } = await read(
    { '': { records: new Array<string>(120_000).fill('1'), next: 'b' } },
    newSource(),
  );
  assert.equal(error?.code, 'no-page');
  assert.match(error.message, /more than 100000 records/);
  assert.deepEqual(ordinals, []);
});

test('a page of too many records is scanned no further: what is broken behind them is not what is told', async () => {
  const records = `${'1,'.repeat(600_000)}}`;
  const bytes = Buffer.from(`{"conversations":[${records}${' '.repeat(2 * 1024 * 1024)}`);
  const source = new SourcePublisher(new MemoryLane().publisher, newSource(), sourceOptions());
  const published = publishPages(async () => bytes, source, READING, never);
  await assert.rejects(published, { code: 'no-page', message: /more than 100000 records/ });
});

test('a date beside the records that moves on does not make a page another one', async () => {
  const entry = await killedInside('b');
  const { error } = await read({ ...LARGE, b: { ...LARGE.b!, at: '2030-01-01T00:00:00Z' } }, entry);
  assert.equal(error, undefined);
});

test('a job read to its last page brings nothing when it is read again from there', async () => {
  const { entry } = await read(LARGE, newSource());
  const again = await read(LARGE, entry);
  assert.deepEqual([again.ordinals, again.error], [[], undefined]);
});

const LOOPS: Readonly<Record<string, Job>> = {
  'the page itself': { ...JOB, c: { ...JOB.c!, next: 'c' } },
  'an earlier page': { ...JOB, d: { ...JOB.d!, next: 'b' } },
  'the first page again, by a cursor of its own': {
    '': { records: conversations('a', 2), next: 'x' },
    x: { records: conversations('a', 2), next: 'x' },
  },
};

for (const [where, job] of Object.entries(LOOPS)) {
  test(`a cursor that leads to ${where}: cursor-loop, and no conversation is published twice`, async () => {
    const { ordinals, error, asked } = await read(job, newSource());
    assert.equal(error?.code, 'cursor-loop');
    const distinct = new Set(Object.values(job).flatMap(({ records }) => records)).size;
    assert(ordinals.length <= distinct, `${ordinals.length} records of ${distinct} conversations`);
    assert(asked.length <= Object.keys(job).length + 1, 'it goes round in circles');
  });
}

test('a page that leads to itself is not published again by the next run, nor by the one after that', async () => {
  const job = { ...JOB, c: { ...JOB.c!, next: 'c' } };
  let { entry, ordinals } = await read(job, newSource());
  const published = ordinals.length;
  for (let run = 0; run < 2; run += 1) {
    const next = await read(job, entry);
    assert.equal(next.error?.code, 'cursor-loop');
    ordinals = [...ordinals, ...next.ordinals];
    ({ entry } = next);
  }
  assert.equal(ordinals.length, published);
});

test('a page that is cut: its records are not published, those of the pages before it are', async () => {
  const lane = new MemoryLane();
  const source = new SourcePublisher(lane.publisher, newSource(), sourceOptions());
  const fetchPage = async (cursor = '') => (cursor === 'b' ? page(LARGE.b!).subarray(0, -2) : page(LARGE['']!));
  await assert.rejects(publishPages(fetchPage, source, READING, never), (error) => {
    assert(error instanceof ParserError);
    assert.equal(error.code, 'broken-json');
    // The page has 150 records, and 250 came before it.
    assert.deepEqual([error.details.page, error.details.ordinal], [1, 250 + 150]);
    assert.match(error.message, /Page 1 of job source .*record 250 of the job.*nothing more of this page is published/);
    assert.doesNotMatch(error.message, /records before it stand/);
    return true;
  });
  await lane.publisher.flush();
  assert.equal(lane.ordinals.data.length, 250);
});

test('an object that is no page is an error, never the end; the earliest availability of the pages counts', async () => {
  const first =
    '{"conversations":[' +
    conversations('a', 2).join(',') +
    '],"cursor":"b","dataAvailabilityDate":"2026-01-01T00:00:00Z"}';
  const publish = async (...answers: string[]) => {
    const lane = new MemoryLane();
    const source = new SourcePublisher(lane.publisher, newSource(), sourceOptions());
    return publishPages(async () => Buffer.from(answers.shift()!), source, READING, never);
  };
  for (const answer of ['{}', '{"message":"Internal error","status":500}', '{"conversations":[],"cursor":17}']) {
    await assert.rejects(publish(first, answer), { code: 'no-page' }, answer);
  }
  await assert.rejects(publish('{"Conversations":[]}'), { code: 'no-page' });
  assert.deepEqual(await publish('{}'), {});
  assert.deepEqual(await publish('{"conversations":[],"cursor":null}'), {});
  assert.deepEqual(await publish(first, '{"dataAvailabilityDate":"2026-03-01T00:00:00Z"}'), {
    until: '2026-01-01T00:00:00.000Z',
  });
});
