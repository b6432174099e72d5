import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newWindowEntry, type LedgerEntry } from './entries.ts';
import { summarise } from './export-status.ts';

function entry(exportId: string, window: string, fields: Partial<LedgerEntry>): LedgerEntry {
  const started = newWindowEntry({ exportId, generation: 1, connector: 'c', contract: 'details-jobs', window });
  const counts = { read: 2, published: 2, invalid: 0, unchanged: 0 };
  return { ...started, counts, updatedAt: '2026-01-01T00:00:00.000Z', ...fields };
}

test('one line an export: its newest generation alone, with states counted and records added up', () => {
  const summary = summarise([
    entry('e', 'w1', { generation: 1, state: 'partial' }),
    entry('e', 'w1', { generation: 2, state: 'done', updatedAt: '2026-01-02T00:00:00.000Z' }),
    entry('e', 'w2', { generation: 2, state: 'publishing', updatedAt: '2026-01-03T00:00:00.000Z' }),
    entry('e', 'w3', { generation: 2, state: 'done' }),
  ]);
  assert.equal(summary.length, 1);
  const [one] = summary;
  assert.deepEqual(one?.states, { done: 2, publishing: 1 });
  assert.deepEqual([one.generation, one.windows, one.records.read], [2, 3, 6]);
  assert.equal(one.updatedAt, '2026-01-03T00:00:00.000Z');
});

test('what is not done is named with its place and its reason', () => {
  const error = { code: 'source-gone', message: 'gone' };
  const [one] = summarise([
    entry('e', 'w1', { state: 'done' }),
    entry('e', 'w2', { state: 'partial', error, source: { id: 'j', jobId: 'j' } }),
    entry('e', 'w3', { state: 'submitted' }),
  ]);
  assert.deepEqual(
    one?.open.map(({ window, state, error: why }) => [window, state, why?.code]),
    [
      ['w2', 'partial', 'source-gone'],
      ['w3', 'submitted', undefined],
    ],
  );
});

test('the latest change comes first; an empty ledger has no lines', () => {
  const at = (exportId: string, updatedAt: string) => entry(exportId, 'w', { state: 'done', updatedAt });
  const summary = summarise([
    at('old', '2026-01-01T00:00:00.000Z'),
    at('new', '2026-01-03T00:00:00.000Z'),
    at('mid', '2026-01-02T00:00:00.000Z'),
  ]);
  assert.deepEqual(
    summary.map(({ exportId }) => exportId),
    ['new', 'mid', 'old'],
  );
  assert.deepEqual(summarise([]), []);
});
