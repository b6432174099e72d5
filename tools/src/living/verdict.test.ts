import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type FaultKind, type FoundRecord, type Matching, type TrueVersion } from './verdict.ts';

const at = (text: string) => Date.parse(`2025-10-${text}:00.000Z`);
const iso = (text: string) => new Date(at(text)).toISOString();
const [fromMs, toMs] = [at('01T00:00'), at('04T00:00')];

/** Lives through the first midnight; its end is known from 01:00 on, an evaluation from the third day on. */
const TRUTH: readonly TrueVersion[] = [
  { version: 0, digest: 'open', since: iso('01T23:00') },
  { version: 1, digest: 'ended', since: iso('02T01:00'), end: iso('02T01:00') },
  { version: 2, digest: 'evaluated', since: iso('03T00:00'), end: iso('02T01:00') },
].map((version) => ({ conversationId: 'c', start: iso('01T23:00'), ...version }));

let ordinal = 0;
const record = (day: string, availableMs: number, digest: string, change: Partial<FoundRecord> = {}): FoundRecord => {
  ordinal += 1;
  const place = { partition: 0, offset: ordinal, source: 'job', ordinal };
  return {
    ...place,
    conversationId: 'c',
    digest,
    day: `2025-10-${day}`,
    availableMs,
    submittedMs: availableMs,
    isChange: false,
    ...change,
  };
};

const first = record('01', at('02T00:00'), 'open');
const second = record('02', at('02T06:00'), 'ended');
const CHANGED = { isChange: true };
const again = record('01', at('03T06:00'), 'evaluated', CHANGED);
const anew = record('02', at('03T06:00'), 'evaluated', CHANGED);
const GOOD = [first, second, again, anew];

function faultsOf(
  records: readonly FoundRecord[],
  truth = TRUTH,
  matching: Matching = 'overlap',
): Partial<Record<FaultKind, number>> {
  const { faults } = judge({ records, truth, matching, fromMs, toMs });
  return Object.fromEntries(
    Object.entries(faults).flatMap(([kind, all]) => (all.length > 0 ? [[kind, all.length]] : [])),
  );
}

test('a topic that followed every change has no fault', () => {
  assert.deepEqual(faultsOf(GOOD), {});
  const { faults: _, ...figures } = judge({
    records: GOOD,
    truth: TRUTH,
    matching: 'overlap',
    fromMs,
    toMs,
  });
  assert.deepEqual(figures, { records: 4, changed: 2, conversations: 1, versions: 3, late: 0, vanished: 0 });
});

test('each fault is found', () => {
  assert.deepEqual(faultsOf([...GOOD.slice(0, 3)]), { stale: 1 });
  assert.deepEqual(faultsOf([first, again]), { missing: 1 });
  assert.deepEqual(faultsOf([]), { missing: 2 });
  assert.deepEqual(faultsOf([...GOOD, record('02', at('03T12:00'), 'evaluated')]), { unchangedTwice: 1 });
  assert.deepEqual(faultsOf([...GOOD, { ...first, day: '2025-10-03' }]), { doubled: 1 });
  assert.deepEqual(faultsOf([...GOOD, record('01', at('02T06:00'), 'half')]), { untrue: 1 });
  // Read before it was so.
  assert.deepEqual(faultsOf([first, second, again, record('02', at('02T12:00'), 'evaluated')]), { untrue: 1 });
});

test('what is newest goes by the availability date, not by the place on the topic', () => {
  assert.deepEqual(faultsOf([again, first, anew, second]), {});
  const same = { availableMs: again.availableMs, submittedMs: again.submittedMs + 1 };
  assert.deepEqual(faultsOf([...GOOD, { ...first, ordinal: 99, ...same, digest: 'odd' }]), { untrue: 1, stale: 2 });
});

test('one that vanished may be there as it was, or not at all; what was read after it is not true', () => {
  const gone = TRUTH.map((version) => ({ ...version, vanished: iso('03T00:00') }));
  assert.deepEqual(faultsOf([], gone), {});
  assert.deepEqual(faultsOf([first, second], gone), {});
  assert.deepEqual(faultsOf([record('02', at('03T06:00'), 'evaluated')], gone), { untrue: 1 });
});

test('one that is still open is due on every day until the end', () => {
  assert.deepEqual(faultsOf([record('01', at('04T00:00'), 'open')], TRUTH.slice(0, 1)), { missing: 2 });
});

test('where a conversation belongs to the day of its start and no availability is told, the later job is the newer one', () => {
  const found = (day: string, submitted: string, digest: string) =>
    record(day, 0, digest, { submittedMs: at(submitted) });
  const good = [found('01', '02T00:00', 'open'), found('01', '03T06:00', 'evaluated')];
  assert.deepEqual(faultsOf(good, TRUTH, 'start'), {});
  assert.deepEqual(faultsOf(good.slice(0, 1), TRUTH, 'start'), { stale: 2 });
  assert.deepEqual(faultsOf([...good, found('01', '01T06:00', 'half')], TRUTH, 'start'), { untrue: 1 });
  assert.deepEqual(faultsOf([], TRUTH, 'start'), { missing: 1 });
});
