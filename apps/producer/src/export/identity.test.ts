import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, stableId } from './identity.ts';

test('the order in which a query spells its members does not change its name', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (query) => {
      const reversed = Object.fromEntries(Object.entries(query).toReversed());
      assert.equal(stableId({ query: reversed }), stableId({ query }));
    }),
  );
});

test('law: canonical JSON reads back as the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('the order of a list counts, and so does each value', () => {
  const ids = [[1, 2], [2, 1], ['1', 2], [1, 2, null], { 0: 1, 1: 2 }].map((query) => stableId({ query }));
  assert.equal(new Set(ids).size, ids.length);
});

test('exports of different intervals have different names', () => {
  const name = (from: string, to: string) => stableId({ from: new Date(from), to: new Date(to) });
  assert.notEqual(name('2025-10-01', '2025-10-02'), name('2025-10-02', '2025-10-03'));
  assert.equal(name('2025-10-01', '2025-10-02'), name('2025-10-01T00:00:00Z', '2025-10-02T02:00:00+02:00'));
});

test('a member without a value is no member, and a name is 32 hex digits', () => {
  assert.equal(stableId({ a: 1, b: undefined }), stableId({ a: 1 }));
  assert.match(stableId({}), /^[0-9a-f]{32}$/);
});
