import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchGenerations } from './fetch-generations.ts';

test('after a join nothing is taken until every broker has been asked anew', () => {
  const fetches = new FetchGenerations(() => 0);
  fetches.joined();
  fetches.fetchStarted('1');
  fetches.fetchStarted('2');
  assert.ok(fetches.isSettled());
  fetches.joined();
  assert.ok(!fetches.isSettled());
  fetches.fetchStarted('1');
  assert.ok(!fetches.isSettled());
  fetches.fetchStarted('2');
  assert.ok(fetches.isSettled());
});

test('a broker that is gone is forgotten, and so is everything when all fetches have ended', () => {
  let now = 0;
  const fetches = new FetchGenerations(() => now);
  fetches.fetchStarted('1');
  fetches.joined();
  now = 59_999;
  assert.ok(!fetches.isSettled());
  now = 60_001;
  assert.ok(fetches.isSettled());
  now = 0;
  assert.ok(!fetches.isSettled());
  fetches.clear();
  assert.ok(fetches.isSettled());
});
