import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions, UsageError } from './options.ts';

test('without options it is the whole table, and a quick run is a small one', () => {
  const whole = parseOptions([])!;
  assert.deepEqual([whole.records, whole.rounds, whole.quick], [100_000, 3, false]);
  assert.equal(whole.product.length + whole.peers.length, 11);
  const quick = parseOptions(['--quick'])!;
  assert.deepEqual([quick.records, quick.rounds, quick.quick], [2000, 1, true]);
  assert.equal(parseOptions(['--quick', '--rounds', '2'])!.rounds, 2);
});

test('--only keeps the table’s order', () => {
  const { product, peers } = parseOptions(['--only', 'python,publish-http,publish'])!;
  assert.deepEqual([product, peers], [['publish', 'publish-http'], ['python']]);
});

test('what cannot be meant is refused', () => {
  for (const args of [
    ['--only', 'publish,nothing'],
    ['--records', '0'],
    ['--rounds', 'many'],
    ['--quick', '--write'],
    ['--quick', '--large'],
    ['--quick', '--far'],
    ['--quick', '--profile'],
    ['--quick', '--compare', 'HEAD'],
    ['--only', 'publish', '--write'],
    ['--fast'],
  ]) {
    assert.throws(() => parseOptions(args), UsageError, args.join(' '));
  }
});
