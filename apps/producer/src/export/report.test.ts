import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSource } from '../../fixtures/memory-lane.ts';
import { reportText } from '../commands/print-report.ts';
import { exitStatus, sumCounts, type Report, type SourceReport } from './report.ts';

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
  assert.deepEqual(sumCounts([]), { records: { read: 0, published: 0, invalid: 0, unchanged: 0 }, bytes: 0 });
});

test('the text for eyes names each source with its state, its error, and where invalid records went', () => {
  const text = reportText(report([done, rejected], 1));
  assert.match(text, /^export e1: 2 windows in 2\.0 s\n/);
  assert.match(text, /read 4 = published 3 \+ invalid 1 \+ unchanged 0 · 3\.0 MiB\n/);
  assert.match(text, /done\s+a\.zip\s+3 records/);
  assert.match(text, /rejected b\.zip\s+0 records\n\s+archive-missing: There is no file b\.zip\./);
  assert.match(text, /1 record on the dead-letter topic/);
  assert(text.endsWith('\n'));
  const odd = { ...rejected, source: 'b\u001b[31m\u202e.zip\nc' };
  const line = reportText(report([odd])).split('\n')[2]!;
  assert.match(line, /rejected b.*31m.*zip.*c {2}0 records/);
  assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
  assert.doesNotMatch(reportText(report([done])), /dead-letter/);
});
