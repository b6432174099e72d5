import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArchiveError } from '@genesys-kafka/archive';
import { newWindowEntry, type LedgerEntry } from '@genesys-kafka/ledger';
import type { ProducerContext } from './context.ts';
import { runPublish, type PublishArgument } from './run-publish.ts';

async function publish(argument: Partial<PublishArgument>, readEntries = async (): Promise<LedgerEntry[]> => []) {
  const told: string[] = [];
  const observer = {
    onSourcePassedOver: (_source: string, what: string) => told.push(what),
    onSourceRejected: (_source: string, { code }: { code: string }) => told.push(code),
    onArchiveLeft: ({ window }: LedgerEntry) => told.push(`left: ${window}`),
  };
  const context = { connector: 'c', observer, readEntries } as unknown as ProducerContext;
  const { sources } = await runPublish(
    context,
    [{ name: 'backup', sources: [], ...argument }],
    false,
    new AbortController().signal,
  );
  return { told, outcome: sources[0] };
}

const failing = (code: 'archive-empty' | 'archive-corrupt', what: string) => () =>
  Promise.reject(new ArchiveError(code, what));

test('a directory of nothing but empty parts is rejected; an empty file that was named is, too', async () => {
  const sources = [failing('archive-empty', 'part-0 is empty.')];
  const only = await publish({ sources, mayHoldEmpty: true });
  assert.equal(only.outcome?.status, 'rejected');
  assert.equal(only.outcome.error?.code, 'archive-empty');
  assert.equal((await publish({ sources })).outcome?.status, 'rejected');
});

test('a marker and an empty part are told, and count for nothing beside the others', async () => {
  const { told, outcome } = await publish({
    mayHoldEmpty: true,
    passedOver: ['_SUCCESS'],
    sources: [failing('archive-empty', 'part-0 is empty.'), failing('archive-corrupt', 'part-1 is damaged.')],
  });
  assert.deepEqual(told.slice(0, 2), ['_SUCCESS', 'archive-corrupt']);
  assert.match(told[2] ?? '', /^part-0 is empty/);
  // One file counts, and its message speaks of no other.
  assert.equal(outcome?.error?.code, 'archive-corrupt');
  assert.doesNotMatch(outcome.error.message, /more of its/);
});

test('an archive that an earlier run left in its midst is named, and a ledger that cannot be read now fails nothing', async () => {
  const facts = { exportId: 'x', generation: 1, connector: 'c', contract: 'archive', window: 'content-1' } as const;
  const left: LedgerEntry = { ...newWindowEntry(facts), state: 'publishing' };
  const sources = [failing('archive-corrupt', 'It is damaged.')];
  assert.deepEqual((await publish({ sources }, async () => [left])).told, ['archive-corrupt', 'left: content-1']);
  const unread = await publish({ sources }, async () => Promise.reject(new Error('the brokers are away')));
  assert.deepEqual(unread.told, ['archive-corrupt']);
});
