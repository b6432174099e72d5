import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTRACTS } from './contracts.ts';
import { planDisturbances } from './disturbances.ts';

const { faults } = CONTRACTS['bulk-archive'];

test('what happens follows from the seed, in order, over the whole time, and all kinds of it', () => {
  const plan = planDisturbances(7, 200, 1_000_000, faults);
  assert.deepEqual(planDisturbances(7, 200, 1_000_000, faults), plan);
  assert.notDeepEqual(planDisturbances(8, 200, 1_000_000, faults), plan);
  const times = plan.map(({ atMs }) => atMs);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.ok(times[0]! < 5000 && times.at(-1)! > 995_000 && times.at(-1)! <= 1_000_000);
  const kinds = new Set(plan.map(({ what }) => what.kind));
  assert.deepEqual([...kinds].sort(), ['fault', 'join', 'kill', 'leave', 'pause', 'revoke']);
});
