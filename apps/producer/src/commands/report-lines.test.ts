import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report, SourceReport } from '../export/report.ts';
import { reportLines } from './report-lines.ts';

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

test('the text for eyes names each source with its state, its error, and where invalid records went', () => {
  const text = `${reportLines(report([done, rejected], 1)).join('\n')}\n`;
  assert.match(text, /^export e1: 2 windows in 2\.0 s\n/);
  assert.match(text, /read 4 = published 3 \+ invalid 1 \+ unchanged 0 · 3\.0 MiB\n/);
  assert.match(text, /done\s+a\.zip\s+3 records/);
  assert.match(text, /rejected b\.zip\s+0 records\n\s+archive-missing: There is no file b\.zip\./);
  assert.match(text, /1 record on the dead-letter topic/);
  const odd = { ...rejected, source: 'b\u001b[31m\u202e.zip\nc' };
  const line = reportLines(report([odd]))[2]!;
  assert.match(line, /rejected b.*31m.*zip.*c {2}0 records/);
  assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
  assert.doesNotMatch(reportLines(report([done])).join('\n'), /dead-letter/);
});

test('what is not published for being older is told where there is any', () => {
  const records = { read: 9, published: 3, invalid: 0, unchanged: 4, stale: 2 };
  const text = reportLines({ ...report([done]), records }).join('\n');
  assert.match(text, /read 9 = published 3 \+ invalid 0 \+ unchanged 4 \+ stale 2 · /);
});
