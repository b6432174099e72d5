import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameSet } from './name-set.ts';

test('a name is new once in each object, also where other objects have it in the same place', () => {
  const names = new NameSet();
  // Objects whose numbers are this far apart share their slots.
  for (const owner of [1, 1 + 2 ** 14, 1 + 2 ** 15, 2]) {
    assert(names.add(owner, 7));
    assert(names.add(owner, -7));
    assert(!names.add(owner, 7));
  }
  names.clear();
  assert(names.add(1, 7));
});

test('a full set takes no name, and takes names again once cleared', () => {
  const names = new NameSet();
  let size = 0;
  while (names.add(1, size)) size += 1;
  assert.equal(size, 4096);
  names.clear();
  assert(names.add(1, 0));
});
