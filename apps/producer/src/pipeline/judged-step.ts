import { decodeBatch, type EncodedBatch, type OutgoingRecord } from '@genesys-kafka/kafka';
import { BatchBuilder } from '@genesys-kafka/kafka/wire';
import type { Turn, RecordVersion, Verdict } from '@genesys-kafka/ledger';
import { RECORD_HEADER, type Change } from '@genesys-kafka/topics';
import type { StagedBatch, StagedStep } from '../stage/staged-step.ts';

/** What is left of a step when only what has changed is published. */
export interface JudgedStep {
  readonly batches: readonly StagedBatch[];
  readonly unchanged: number;
  readonly stale: number;
}

interface JudgedBatch {
  readonly staged: StagedBatch;
  readonly records: readonly OutgoingRecord[];
  /** One a record; undefined for a dead letter, which is not judged. */
  readonly verdicts: readonly (Verdict | undefined)[];
}

/**
 * Judges the records of a step. They were staged as `new`, so a batch of which all are goes as it is, and nothing is
 * made of one without any: only where a batch holds something else as well is it encoded and compressed once more.
 */
export async function judgedStep(step: StagedStep, turn: Pick<Turn, 'judge'>): Promise<JudgedStep> {
  const decoded = await Promise.all(
    step.batches.map(async (staged) => ({ staged, records: await decodeBatch(staged.batch) })),
  );
  // All records of a conversation are in batches of one partition, which are in the order of their records.
  const judged = decoded.map(({ staged, records }): JudgedBatch => {
    return { staged, records, verdicts: records.map((record) => judge(record, step, turn)) };
  });
  const made = await Promise.all(judged.map(async (batch) => remade(batch)));
  const counted = (wanted: Verdict) =>
    judged.reduce((sum, { verdicts }) => sum + verdicts.filter((verdict) => verdict === wanted).length, 0);
  return {
    batches: made.filter((batch) => batch !== undefined),
    unchanged: counted('unchanged'),
    stale: counted('stale'),
  };
}

function judge(
  record: OutgoingRecord,
  { firstOrdinal, facts }: StagedStep,
  turn: Pick<Turn, 'judge'>,
): Verdict | undefined {
  const index = Number(header(record, RECORD_HEADER.ordinal)) - firstOrdinal;
  if (!facts.isValid(index)) return undefined;
  return turn.judge(record.key as Buffer, facts.digest(index), versionOf(record));
}

function versionOf(record: OutgoingRecord): RecordVersion {
  return {
    ...moment('availableAtMs', header(record, RECORD_HEADER.dataAvailabilityDate)),
    ...moment('submittedAtMs', header(record, RECORD_HEADER.jobSubmittedAt)),
  };
}

/** Nothing where the date is missing, or cannot be read. */
function moment(name: keyof RecordVersion, text: string | undefined): RecordVersion {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? {} : { [name]: ms };
}

function header({ headers }: OutgoingRecord, name: string): string | undefined {
  return headers?.[name]?.toString();
}

async function remade({ staged, records, verdicts }: JudgedBatch): Promise<StagedBatch | undefined> {
  if (verdicts.every((verdict) => verdict === undefined || verdict === 'new')) return staged;
  const { batch, ...target } = staged;
  const builder = new BatchBuilder();
  let count = 0;
  for (const [index, record] of records.entries()) {
    const verdict = verdicts[index];
    if (verdict === 'unchanged' || verdict === 'stale') continue;
    builder.add(verdict === 'changed' ? withChange(record) : record);
    count += 1;
  }
  if (count === 0) return undefined;
  const anew: EncodedBatch = await builder.buildOnPool(batch.compression);
  return { ...target, batch: anew };
}

function withChange(record: OutgoingRecord): OutgoingRecord {
  return { ...record, headers: { ...record.headers, [RECORD_HEADER.change]: 'changed' satisfies Change } };
}
