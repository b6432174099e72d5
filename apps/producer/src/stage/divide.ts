import { decodeBatch, recordBytes, type OutgoingRecord } from '@genesys-kafka/kafka';
import { BatchBuilder, type KafkaCompression } from '@genesys-kafka/kafka/wire';
import { RECORD_HEADER } from '@genesys-kafka/topics';
import type { StagedBatch, StagedStep } from './staged-step.ts';

interface Placed {
  readonly record: OutgoingRecord;
  readonly ordinal: number;
  /** The batch that it was in: what a part of that is made of fits where it did. */
  readonly from: StagedBatch;
}

/**
 * The step from this ordinal on, in steps of at most so many bytes before compression (or of one record): for a line on
 * which a whole step takes longer than a transaction may, and for going on where it was left in its midst. Costs what the staging saved, so only where it is needed.
 */
export async function* divided(step: StagedStep, from: number, maxBytes: number): AsyncGenerator<StagedStep> {
  const compression = step.batches[0]?.batch.compression ?? 'none';
  let part: Placed[] = [];
  let [first, bytes] = [from, 0];
  for (const placed of await recordsOf(step)) {
    if (placed.ordinal < from) continue;
    const more = recordBytes(placed.record);
    if (part.length > 0 && bytes + more > maxBytes) {
      yield partOf(step, first, placed.ordinal, await batchesOf(part, compression));
      [part, first, bytes] = [[], placed.ordinal, 0];
    }
    part.push(placed);
    bytes += more;
  }
  const end = step.firstOrdinal + step.facts.count;
  if (part.length > 0) yield partOf(step, first, end, await batchesOf(part, compression));
}

/** In the order of their ordinals, each of which is one record of the step. */
async function recordsOf({ batches }: StagedStep): Promise<Placed[]> {
  const placed: Placed[] = [];
  for (const from of batches) {
    for (const record of await decodeBatch(from.batch)) {
      placed.push({ record, from, ordinal: Number(String(record.headers?.[RECORD_HEADER.ordinal])) });
    }
  }
  return placed.sort((a, b) => a.ordinal - b.ordinal);
}

function partOf({ firstOrdinal, facts }: StagedStep, from: number, to: number, batches: readonly StagedBatch[]) {
  return { firstOrdinal: from, facts: facts.slice(from - firstOrdinal, to - firstOrdinal), batches };
}

async function batchesOf(records: readonly Placed[], compression: KafkaCompression): Promise<StagedBatch[]> {
  // Those of one partition stay in their order: their first records are.
  const builders = new Map<StagedBatch, BatchBuilder>();
  for (const { from, record } of records) {
    const builder = builders.get(from) ?? new BatchBuilder();
    builders.set(from, builder);
    builder.add(record);
  }
  const made = [...builders].map(async ([{ topic, partition }, builder]) => {
    return { topic, partition, batch: await builder.buildOnPool(compression) };
  });
  return Promise.all(made);
}
