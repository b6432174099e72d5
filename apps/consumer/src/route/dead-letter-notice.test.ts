import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '@genesys-kafka/runtime';
import { DeadLetterNotice } from './dead-letter-notice.ts';

test('mass dead-lettering is told: the first of each cause, then sums, and not a line for each', () => {
  const destination = new PassThrough();
  const log = createLogger({ name: 'test', level: 'warn', destination });
  const notice = new DeadLetterNotice('crm', log);
  for (let i = 0; i < 1950; i += 1) notice.count('http-410');
  notice.count('http-422');
  const lines = String(destination.read()).trim().split('\n');
  const told = lines.map((line) => {
    const { level, route, cause, deadLetters } = JSON.parse(line) as Record<string, unknown>;
    return [level, route, cause, deadLetters];
  });
  assert.deepEqual(told, [
    ...[1, 10, 100, 1000].map((sum) => ['warn', 'crm', 'http-410', sum]),
    ['warn', 'crm', 'http-422', 1],
  ]);
});
