import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newWindowEntry, type LedgerEntry } from '@genesys-kafka/ledger';
import { archivesLeft } from './archives-left.ts';

const entry = (exportId: string, facts: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...newWindowEntry({ exportId, generation: 1, connector: 'c', contract: 'archive', window: exportId }),
  state: 'publishing',
  ...facts,
});

test('an archive left in its midst is named by the next publish, unless that one holds it or a newer one is whole', () => {
  const entries = [
    entry('killed'),
    entry('gone-on-with'),
    entry('whole', { state: 'done' }),
    entry('told', { state: 'partial' }),
    entry('again'),
    entry('again', { generation: 2, state: 'done' }),
    entry('job', { contract: 'bulk-archive' }),
  ];
  const left = archivesLeft(entries, new Map([['gone-on-with', {}]]));
  assert.deepEqual(
    left.map(({ window }) => window),
    ['killed'],
  );
});
