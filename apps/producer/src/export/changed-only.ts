import type { LaneDigests, LedgerEntry } from '@genesys-kafka/ledger';
import { ProducerError } from '../errors.ts';

type Generations = readonly Pick<LedgerEntry, 'generation' | 'changedOnly'>[];

/** After every day of an export. */
const ALL_DAYS = '9999-12-31';

/**
 * Whose digests a generation is judged by: the export's, since everything was published of it last. A generation that
 * publishes everything writes no digests, so those from before it say nothing of what lies on the topic after it.
 */
export function digestScope(exportId: string, generation: number, entries: Generations): string {
  const base = lastWhole(generation, entries);
  return base === 0 ? exportId : `${exportId}+${base}`;
}

/** The last generation before this one of which everything was published; 0 where there is none. */
function lastWhole(generation: number, entries: Generations): number {
  const whole = entries.filter((entry) => entry.generation < generation && !entry.changedOnly);
  return whole.reduce((last, entry) => Math.max(last, entry.generation), 0);
}

/** A generation is one or the other as a whole: what some windows of a day publish, the others are judged by. */
export function assertSameMode(exportId: string, generation: number, entries: Generations, changedOnly: boolean): void {
  const begun = entries.find((entry) => entry.generation === generation);
  if (!begun || (begun.changedOnly ?? false) === changedOnly) return;
  const how = begun.changedOnly ? 'with' : 'without';
  throw new ProducerError(
    'other-mode',
    `Generation ${generation} of export ${exportId} was begun ${how} --changed-only.`,
  );
}

/** In the first generation after one of which everything was published: digests from before that one come to their end. */
export async function endOutOfReach(
  digests: Pick<LaneDigests, 'expire'>,
  exportId: string,
  generation: number,
  entries: Generations,
): Promise<void> {
  const base = lastWhole(generation, entries);
  if (base !== generation - 1) return;
  const earlier = entries.filter((entry) => entry.generation < base && entry.changedOnly);
  const scopes = new Set(earlier.map((entry) => digestScope(exportId, entry.generation, entries)));
  for (const scope of scopes) while ((await digests.expire(scope, ALL_DAYS)) > 0);
}
