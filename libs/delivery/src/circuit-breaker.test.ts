import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CircuitBreaker } from './circuit-breaker.ts';

const options = { errors: 0.5, over: 4, cooldownMs: 1000, maxWaitMs: 60_000 };
const report = (breaker: CircuitBreaker, ...results: ('success' | 'failure' | 'refused' | 'unknown')[]) =>
  results.forEach((result) => breaker.report(breaker.start(), result, 0));

test('opens when half of the last four failed, and not on fewer than four', () => {
  const breaker = new CircuitBreaker(options);
  report(breaker, 'failure', 'failure', 'failure');
  assert.equal(breaker.state, 'closed');
  report(breaker, 'success');
  assert.equal(breaker.state, 'open');

  const healthy = new CircuitBreaker(options);
  report(healthy, 'failure', 'success', 'success', 'success', 'failure', 'success', 'success', 'unknown', 'success');
  assert.equal(healthy.state, 'closed');
});

test('half-open admits one probe; its result decides, an aborted one leaves the next to try', () => {
  const breaker = new CircuitBreaker(options);
  report(breaker, 'refused');
  assert.equal(breaker.admits, false);
  breaker.tick(999);
  assert.equal(breaker.state, 'open');
  breaker.tick(1000);
  assert.equal(breaker.state, 'half-open');

  const aborted = breaker.start();
  assert.equal(breaker.admits, false);
  breaker.report(aborted, 'unknown', 1000);
  assert.equal(breaker.admits, true);

  breaker.report(breaker.start(), 'failure', 1000);
  assert.deepEqual([breaker.state, breaker.openUntilMs], ['open', 2000]);
  breaker.tick(2000);
  breaker.report(breaker.start(), 'success', 2000);
  assert.equal(breaker.state, 'closed');
});

test('results of calls from before a change of state count for nothing', () => {
  const breaker = new CircuitBreaker(options);
  const old = [breaker.start(), breaker.start()] as const;
  breaker.trip(1000, 0);
  breaker.tick(1000);
  breaker.report(old[0], 'success', 1000);
  assert.equal(breaker.state, 'half-open');
  breaker.report(breaker.start(), 'success', 1000);
  breaker.report(old[1], 'refused', 1000);
  assert.equal(breaker.state, 'closed');
});

test('a named time prolongs an open circuit, never shortens it, and is capped', () => {
  const breaker = new CircuitBreaker(options);
  breaker.trip(5000, 0);
  breaker.trip(10, 0);
  assert.equal(breaker.openUntilMs, 5000);
  breaker.trip(Number.MAX_SAFE_INTEGER, 0);
  assert.equal(breaker.openUntilMs, 60_000);
});
