import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tenure } from './tenure.ts';

test('an assignment follows upon the one before it: of the same member, in the next generation', () => {
  const tenure = new Tenure();
  const follows = [
    { memberId: 'a', generation: 4 },
    { memberId: 'a', generation: 5 },
    { memberId: 'b', generation: 6 },
    { memberId: 'b', generation: 7 },
    { memberId: 'b', generation: 9 },
    { memberId: 'b', generation: 9 },
    { memberId: 'b', generation: 10 },
  ].map((membership) => tenure.follows(membership));
  assert.deepEqual(follows, [false, true, false, true, false, false, true]);
});
