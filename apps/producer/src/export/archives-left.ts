import type { LedgerEntry } from '@genesys-kafka/ledger';

/**
 * Archives that a run began to publish and never ended, apart from those in `published` (by export id): killed in the
 * midst, and since then changed, moved or forgotten. Their records stand, and nobody goes on with them.
 */
export function archivesLeft(
  entries: readonly LedgerEntry[],
  published: Pick<ReadonlyMap<string, unknown>, 'has'>,
): LedgerEntry[] {
  const newest = new Map<string, LedgerEntry>();
  for (const entry of entries) {
    const known = newest.get(entry.exportId);
    if (!known || entry.generation > known.generation) newest.set(entry.exportId, entry);
  }
  return [...newest.values()].filter(
    ({ contract, state, exportId }) => contract === 'archive' && state === 'publishing' && !published.has(exportId),
  );
}
