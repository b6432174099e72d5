import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchGenerations } from './fetch-generations.ts';

test('what a fetch brings that was started before a join is not taken after it; what is fetched anew is', () => {
  const fetches = new FetchGenerations();
  fetches.joined();
  fetches.fetchStarted('1');
  fetches.fetchStarted('2');
  const [one, two] = [fetches.of('1'), fetches.of('2')];
  assert.ok(fetches.isCurrent(one) && fetches.isCurrent(two));
  fetches.joined();
  fetches.fetchStarted('1');
  assert.ok(!fetches.isCurrent(one) && !fetches.isCurrent(two));
  // The other broker may be gone, and is never asked again.
  assert.ok(fetches.isCurrent(fetches.of('1')));
});
