import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from './byte-range.ts';

test('reads ranges as RFC 9110 has them, and passes over what S3 passes over', () => {
  const part = (start: number, end: number) => ({ kind: 'part', start, end });
  assert.deepEqual(parseRange(undefined, 10), { kind: 'whole' });
  assert.deepEqual(parseRange('bytes=0-3', 10), part(0, 4));
  assert.deepEqual(parseRange('bytes=4-', 10), part(4, 10));
  assert.deepEqual(parseRange('bytes=-3', 10), part(7, 10));
  assert.deepEqual(parseRange('bytes=-30', 10), part(0, 10));
  assert.deepEqual(parseRange('bytes=8-99', 10), part(8, 10));
  assert.deepEqual(parseRange('bytes=10-', 10), { kind: 'unsatisfiable' });
  assert.deepEqual(parseRange('bytes=-0', 10), { kind: 'unsatisfiable' });
  for (const odd of ['bytes=5-4', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-', 'bytes=a-b']) {
    assert.deepEqual(parseRange(odd, 10), { kind: 'whole' }, odd);
  }
});
