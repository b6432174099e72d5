import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesKey, outcomeOf } from './http-answer.ts';

const usual = { namesOurKey: false, kind: 'json', usually: 'json' } as const;

test('every status from 200 to 599 has the meaning that the design gives it', () => {
  const kinds = new Map<string, number[]>();
  for (let status = 200; status < 600; status += 1) {
    const { kind } = outcomeOf({ ...usual, status });
    kinds.set(kind, [...(kinds.get(kind) ?? []), status]);
  }
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  assert.deepEqual(kinds.get('delivered'), range(200, 300));
  assert.deepEqual(kinds.get('misconfigured'), [...range(300, 400), 401, 403]);
  assert.deepEqual(kinds.get('retry'), [404, 405, 407, 408, 421, 425, 429, ...range(500, 600)]);
  assert.ok([400, 409, 410, 413, 422].every((status) => kinds.get('rejected')?.includes(status)));
  assert.equal(outcomeOf({ ...usual, status: 409, namesOurKey: true }).kind, 'delivered');
});

test('a key is named only whole: not inside a longer one', () => {
  for (const text of ['src:1', '{"key":"src:1"}', 'duplicate of src:1.', 'src:12 src:1', 'key=src:1;'])
    assert.ok(namesKey(text, 'src:1'), text);
  for (const text of ['', 'src:12', 'xsrc:1', 'other-src:1', 'src:1a', 'src', '%20src:1'])
    assert.ok(!namesKey(text, 'src:1'), text);
});
