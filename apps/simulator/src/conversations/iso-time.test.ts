import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoTime } from './iso-time.ts';

test('writes what toISOString writes, before and after 1970', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2200, 0, 1) }), (ms) =>
      assert.equal(isoTime(ms), new Date(ms).toISOString()),
    ),
  );
});
