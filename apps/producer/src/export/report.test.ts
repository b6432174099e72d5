import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumCounts } from '@genesys-kafka/ledger';
import { newSource } from '../../fixtures/memory-lane.ts';
import { exitStatus, type Report, type SourceReport } from './report.ts';

function report(sources: readonly SourceReport[], invalid = 0): Report {
  const records = { read: 3 + invalid, published: 3, invalid, unchanged: 0 };
  return { exportId: 'e1', windows: sources.length, records, bytes: 3 * 1024 * 1024, seconds: 2, sources };
}

const done: SourceReport = { source: 'a.zip', status: 'done', records: 3 };
const rejected: SourceReport = {
  source: 'b.zip',
  status: 'rejected',
  records: 0,
  error: { code: 'archive-missing', message: 'There is no file b.zip.' },
};

test('status 0 only when every source is done and no record was invalid, else 3', () => {
  assert.equal(exitStatus(report([done, done])), 0);
  assert.equal(exitStatus(report([])), 0);
  assert.equal(exitStatus(report([done, rejected])), 3);
  assert.equal(exitStatus(report([{ ...done, status: 'partial' }])), 3);
  assert.equal(exitStatus(report([done], 1)), 3);
});

test('counts and bytes are the sums over all entries', () => {
  const entry = { ...newSource(), counts: { read: 5, published: 3, invalid: 1, unchanged: 1 }, bytes: 70 };
  assert.deepEqual(sumCounts([entry, entry]), {
    records: { read: 10, published: 6, invalid: 2, unchanged: 2 },
    bytes: 140,
  });
  const older = { ...entry, counts: { ...entry.counts, read: 7, stale: 2 } };
  assert.deepEqual(sumCounts([entry, older, older]).records, {
    read: 19,
    published: 9,
    invalid: 3,
    unchanged: 3,
    stale: 4,
  });
  assert.deepEqual(sumCounts([]), { records: { read: 0, published: 0, invalid: 0, unchanged: 0 }, bytes: 0 });
});
