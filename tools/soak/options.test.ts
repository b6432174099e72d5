import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '@genesys-kafka/testing';
import { CONTRACTS } from './contracts.ts';
import { parseOptions } from './options.ts';

test('a soak is by either contract, and what it is not is told', () => {
  const { seed, ...more } = parseOptions([])!;
  assert(Number.isInteger(seed));
  assert.deepEqual(more, {
    ...{ contract: 'details-jobs', days: 30, speed: 2000, perDay: 300, processes: 3, events: 50, dir: undefined },
  });
  for (const name of Object.keys(CONTRACTS)) assert.equal(parseOptions(['--contract', name])?.contract, name);
  const isTold = (args: string[], what: RegExp) =>
    assert.throws(
      () => parseOptions(args),
      (error: unknown) => error instanceof UsageError && what.test(error.message),
    );
  isTold(['--contract', 'toString'], /--contract is toString; write details-jobs or bulk-archive/);
  isTold(['--days', '0.5'], /--days is 0.5; write a whole number, 1 to 365/);
  assert.equal(parseOptions(['--help']), undefined);
});
