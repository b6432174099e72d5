import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProducerError } from '../errors.ts';
import { assertSameMode, digestScope, endOutOfReach } from './changed-only.ts';

type Mode = 'all' | 'changed';

/** Entries of generations 1, 2, …: two windows each. */
function generations(...modes: readonly Mode[]) {
  return modes.flatMap((mode, index) => {
    const entry = { generation: index + 1, ...(mode === 'changed' ? { changedOnly: true as const } : {}) };
    return [entry, entry];
  });
}

test('generations share their digests until one publishes everything, which begins them anew', () => {
  assert.equal(digestScope('x', 1, []), 'x');
  assert.equal(digestScope('x', 3, generations('changed', 'changed', 'changed')), 'x');
  assert.equal(digestScope('x', 2, generations('all')), 'x+1');
  const later = generations('changed', 'all', 'changed', 'changed');
  assert.deepEqual(
    [1, 3, 4, 5].map((generation) => digestScope('x', generation, later)),
    ['x', 'x+2', 'x+2', 'x+2'],
  );
});

test('a generation that is begun goes on as it was begun; the next one may be otherwise', () => {
  const isRefused = (error: unknown) => error instanceof ProducerError && error.code === 'other-mode';
  assert.throws(() => assertSameMode('x', 2, generations('changed', 'all'), true), isRefused);
  assert.throws(() => assertSameMode('x', 1, generations('changed'), false), isRefused);
  assertSameMode('x', 1, generations('changed'), true);
  assertSameMode('x', 1, generations('all'), false);
  assertSameMode('x', 2, generations('all'), true);
  assertSameMode('x', 1, [], true);
});

test('digests out of reach end in the first generation after one that publishes everything, each call some of them', async () => {
  const ended = async (generation: number, ...modes: readonly Mode[]) => {
    const calls: string[] = [];
    const expire = async (scope: string, before: string) => {
      assert(before > '2999-12-31');
      calls.push(scope);
      return 2 - calls.filter((one) => one === scope).length;
    };
    await endOutOfReach({ expire }, 'x', generation, generations(...modes));
    return calls;
  };
  assert.deepEqual(await ended(1), []);
  assert.deepEqual(await ended(2, 'all'), []);
  assert.deepEqual(await ended(2, 'changed'), []);
  assert.deepEqual(await ended(3, 'changed', 'all'), ['x', 'x']);
  assert.deepEqual(await ended(5, 'changed', 'all', 'changed', 'all'), ['x', 'x', 'x+2', 'x+2']);
  assert.deepEqual(await ended(4, 'changed', 'all', 'changed'), []);
});
