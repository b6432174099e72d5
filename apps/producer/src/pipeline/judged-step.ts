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

/** `repeated`: a dead letter that an earlier reading has made of the same bytes. */
type Fate = Verdict | 'repeated';

const NOT_SENT: ReadonlySet<Fate> = new Set<Fate>(['unchanged', 'stale', 'repeated']);

interface JudgedBatch {
  readonly staged: StagedBatch;
  readonly records: readonly OutgoingRecord[];
  /** One a record. */
  readonly fates: readonly Fate[];
}

type Judging = Pick<Turn, 'judge' | 'judgeInvalid'>;

/**
 * Judges the records of a step. They were staged as `new`, so a batch of which all are goes as it is, and nothing is
 * made of one without any: only where a batch holds something else as well is it encoded and compressed once more.
 */
export async function judgedStep(step: StagedStep, turn: Judging): Promise<JudgedStep> {
  const decoded = await Promise.all(
    step.batches.map(async (staged) => ({ staged, records: await decodeBatch(staged.batch) })),
  );
  // All records of a conversation are in batches of one partition, which are in the order of their records.
  const judged = decoded.map(({ staged, records }): JudgedBatch => {
    return { staged, records, fates: records.map((record) => judge(record, step, turn)) };
  });
  const made = await Promise.all(judged.map(async (batch) => remade(batch)));
  const counted = (wanted: Verdict) =>
    judged.reduce((sum, { fates }) => sum + fates.filter((fate) => fate === wanted).length, 0);
  return {
    batches: made.filter((batch) => batch !== undefined),
    unchanged: counted('unchanged'),
    stale: counted('stale'),
  };
}

function judge(record: OutgoingRecord, { firstOrdinal, facts }: StagedStep, turn: Judging): Fate {
  const index = Number(header(record, RECORD_HEADER.ordinal)) - firstOrdinal;
  const [digest, version] = [facts.digest(index), versionOf(record)];
  if (facts.isValid(index)) return turn.judge(record.key as Buffer, digest, version);
  return turn.judgeInvalid(digest, version) === 'unchanged' ? 'repeated' : 'new';
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

async function remade({ staged, records, fates }: JudgedBatch): Promise<StagedBatch | undefined> {
  if (fates.every((fate) => fate === 'new')) return staged;
  const { batch, ...target } = staged;
  const builder = new BatchBuilder();
  let count = 0;
  for (const [index, record] of records.entries()) {
    const fate = fates[index]!;
    if (NOT_SENT.has(fate)) continue;
    builder.add(fate === 'changed' ? withChange(record) : record);
    count += 1;
  }
  if (count === 0) return undefined;
  const anew: EncodedBatch = await builder.buildOnPool(batch.compression);
  return { ...target, batch: anew };
}

function withChange(record: OutgoingRecord): OutgoingRecord {
  return { ...record, headers: { ...record.headers, [RECORD_HEADER.change]: 'changed' satisfies Change } };
}
