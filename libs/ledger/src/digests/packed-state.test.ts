import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeDigest,
  encodeDigest,
  packState,
  STATE_WORDS,
  TAG_BYTES,
  verdictOn,
  type RecordVersion,
} from './packed-state.ts';

const NOW = Date.UTC(2026, 0, 10);
const at = (day: number, hour = 0) => Date.UTC(2026, 0, day, hour);

function state(content: string, version: RecordVersion = {}): Int32Array {
  const packed = new Int32Array(STATE_WORDS);
  packState(createHash('sha256').update(content).digest(), version, packed);
  return packed;
}

const verdict = (version: RecordVersion, last: RecordVersion, nowMs = NOW) =>
  verdictOn(state('a', version), state('b', last), nowMs);

test('without a last one new, with the same content unchanged whatever the versions, else by the version', () => {
  assert.equal(verdictOn(state('a'), undefined, NOW), 'new');
  const [older, newer] = [{ availableAtMs: at(1) }, { availableAtMs: at(2) }];
  for (const [one, other] of [
    [older, newer],
    [newer, older],
    [{}, newer],
  ] as const) {
    assert.equal(verdictOn(state('a', one), state('a', other), NOW), 'unchanged');
  }
  assert.equal(verdict(older, newer), 'stale');
  assert.equal(verdict(newer, older), 'changed');
});

test('the availability date decides before the submission of the job; of the same version the later in order counts', () => {
  assert.equal(
    verdict({ availableAtMs: at(2), submittedAtMs: at(1) }, { availableAtMs: at(1), submittedAtMs: at(2) }),
    'changed',
  );
  assert.equal(
    verdict({ availableAtMs: at(1), submittedAtMs: at(2) }, { availableAtMs: at(2), submittedAtMs: at(1) }),
    'stale',
  );
  assert.equal(
    verdict({ availableAtMs: at(1), submittedAtMs: at(1) }, { availableAtMs: at(1), submittedAtMs: at(2) }),
    'stale',
  );
  assert.equal(verdict({ submittedAtMs: at(1) }, { submittedAtMs: at(2) }), 'stale');
  const same = { availableAtMs: at(1), submittedAtMs: at(1) };
  assert.equal(verdict(same, same), 'changed');
});

test('what is in doubt is published: unknown versions, and a last one from a clock that was ahead', () => {
  assert.equal(verdict({}, { availableAtMs: at(2), submittedAtMs: at(2) }), 'changed');
  assert.equal(verdict({ submittedAtMs: at(1) }, { availableAtMs: at(2), submittedAtMs: at(2) }), 'changed');
  assert.equal(verdict({ availableAtMs: at(1) }, { availableAtMs: at(1), submittedAtMs: at(2) }), 'changed');
  assert.equal(verdict({ submittedAtMs: at(9) }, { submittedAtMs: at(11) }), 'changed');
  assert.equal(verdict({ submittedAtMs: at(9) }, { submittedAtMs: at(11) }, at(12)), 'stale');
});

const versions = fc.record(
  { availableAtMs: fc.integer({ min: 1, max: NOW }), submittedAtMs: fc.integer({ min: 1, max: NOW }) },
  { requiredKeys: [] },
);

test('law: of two versions at most one is older than the other', () => {
  fc.assert(
    fc.property(versions, versions, (one, other) => {
      assert(!(verdict(one, other) === 'stale' && verdict(other, one) === 'stale'));
    }),
  );
});

test('law: a digest comes back as it was written, wherever it lies; of other topics, versions or lengths it says nothing', () => {
  const tags = fc.uint8Array({ minLength: TAG_BYTES, maxLength: TAG_BYTES }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.string(), versions, tags, tags, fc.nat(20), (content, version, tag, other, before) => {
      const written = state(content, version);
      const value = encodeDigest(written, tag);
      const bytes = Buffer.concat([Buffer.alloc(before, 7), value, Buffer.alloc(3, 7)]);
      const [from, to] = [before, before + value.length];
      const read = new Int32Array(STATE_WORDS);
      assert(decodeDigest(bytes, from, to, tag, read));
      assert.deepEqual(read, written);
      assert.equal(decodeDigest(bytes, from, to, other, read), tag.equals(other));
      assert.equal(decodeDigest(bytes, from, to + 1, tag, read), false);
      assert.equal(decodeDigest(bytes, from, from - 1, tag, read), false);
      bytes[from] = 2;
      assert.equal(decodeDigest(bytes, from, to, tag, read), false);
    }),
  );
});
