import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { describeFilter, filterOf, moment } from './filter-options.ts';

const unasked = () => assert.fail('no expression was given');

test('a moment is one that every part of the program can write down', () => {
  assert.equal(moment('2026-01-31T08:00:00+02:00'), Date.UTC(2026, 0, 31, 6));
  assert.ok(moment('100000d') < 0);
  for (const text of ['999999999d', '2026-02-30', '2026-01-31T08:00:00', '-1d', ''])
    assert.throws(() => moment(text), InvalidArgumentError, text);
});

test('what was given is kept as it can be given again', () => {
  const since = moment('2026-01-31');
  assert.deepEqual(filterOf({ id: 'a', since, store: 'topic' }, unasked), { id: 'a', sinceMs: since });
  assert.deepEqual(describeFilter({ id: 'a', since, max: 4, key: undefined }), {
    ...{ id: 'a', since: '2026-01-31T00:00:00.000Z', max: '4' },
  });
});
