import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusLines } from './status-lines.ts';

test('a strip of days and a line an interval, with what is wrong and when it is tried again', () => {
  const lines = statusLines({
    connector: 'default',
    hidden: 0,
    exports: [],
    run: {
      contract: 'details-jobs',
      from: '2026-01-01T00:00:00.000Z',
      sizeMs: 3_600_000,
      completeUntil: '2026-01-03T04:00:00.000Z',
      behindSeconds: 7860,
      windows: { published: 48, provisional: 3, pending: 1, failed: 1, missing: 0 },
      days: ['published', 'provisional', 'failed', 'pending', 'missing'],
      intervals: [
        {
          from: '2026-01-01T00:00:00.000Z',
          to: '2026-01-03T00:00:00.000Z',
          state: 'provisional',
          windows: 48,
          until: '2026-01-06T00:00:00.000Z',
        },
        {
          from: '2026-01-03T00:00:00.000Z',
          to: '2026-01-03T01:00:00.000Z',
          state: 'failed',
          windows: 1,
          since: '2026-01-03T05:00:00.000Z',
          attempts: 2,
          nextTry: '2026-01-03T05:20:00.000Z',
          error: { code: 'job-failed', message: 'Genesys job 1 failed: see https://host/x?sig=canary' },
        },
      ],
    },
  });
  assert.deepEqual(lines.slice(0, 3), [
    'run  details-jobs, windows of 1 h from 2026-01-01T00:00Z',
    '  complete until 2026-01-03T04:00Z, 2 h 11 min behind now',
    '  48 published, 3 provisional, 1 pending, 1 failed, 0 missing',
  ]);
  assert.equal(lines[3], '  2026-01-01  █▓!·?');
  const told = lines.slice(5).join('\n');
  assert.match(
    told,
    /provisional {2}2026-01-01T00:00Z to 2026-01-03T00:00Z {2}48 windows, read again until data of 2026-01-06/,
  );
  assert.match(told, /failed .* 1 window, since 2026-01-03T05:00.*, 2 attempts, next 2026-01-03T05:20/);
  assert.match(told, /job-failed: Genesys job 1 failed/);
  assert.doesNotMatch(told, /canary/);
});

test('a connector that was never followed shows its exports alone', () => {
  assert.deepEqual(statusLines({ connector: 'x', hidden: 0, exports: [] }), ['Nothing in the ledger for connector x.']);
});
