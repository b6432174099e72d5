import type { LetterKeeper } from '@genesys-kafka/dead-letters';
import { decodeBatch, type OutgoingHeaders, type OutgoingRecord } from '@genesys-kafka/kafka';
import { BatchBuilder, fitsCompressed } from '@genesys-kafka/kafka/wire';
import { DEAD_LETTER_HEADER } from '@genesys-kafka/topics';
import type { StagedBatch } from '../stage/staged-step.ts';
import { maxSendBytes, type Target } from '../stage/value-encoder.ts';

export interface LetterOutletOptions {
  /** The name under which dead letters are staged. */
  readonly staged: string;
  /** The topic that they go to as well. */
  readonly topic: Target | undefined;
  readonly keeper: LetterKeeper;
}

/**
 * Where a step's dead letters go besides their topic, or in its stead: object storage. They are there before the step is
 * taken into a transaction. Where that is aborted, the records are staged again from their source, and the same dead
 * letters have the same names; one whose source is never read again was a dead letter all the same.
 */
export class LetterOutlet {
  readonly #options: LetterOutletOptions;

  constructor(options: LetterOutletOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the storage has all dead letters of these batches, with what is still to be sent. Rejects with the
   * signal's reason, or with what writing has met for too long.
   */
  async take(batches: readonly StagedBatch[], signal: AbortSignal): Promise<readonly StagedBatch[]> {
    const { staged, topic } = this.#options;
    if (batches.every((batch) => batch.topic !== staged)) return batches;
    const left = await Promise.all(
      batches.map(async (batch) => {
        if (batch.topic !== staged) return batch;
        const records = await decodeBatch(batch.batch);
        await Promise.all(records.map(async (record) => this.#keep(record, signal)));
        return topic && sendable(batch, records, topic);
      }),
    );
    return left.filter((batch) => batch !== undefined);
  }

  async #keep({ key, value, headers = {} }: OutgoingRecord, signal: AbortSignal): Promise<void> {
    const bytes = value === null || Buffer.isBuffer(value) ? value : Buffer.concat(value);
    await this.#options.keeper.append({ key: key === null ? null : Buffer.from(key), value: bytes, headers }, signal);
  }
}

/** As it is, or where a record is more than the topic takes, with a pointer in its place: the storage has the record. */
async function sendable(staged: StagedBatch, records: readonly OutgoingRecord[], topic: Target): Promise<StagedBatch> {
  const { compression, rawBytes } = staged.batch;
  const limit = maxSendBytes(topic);
  if (rawBytes <= limit) return staged;
  const builder = new BatchBuilder();
  for (const record of records) {
    const { value } = record;
    const isTooLarge = Buffer.isBuffer(value) && !fitsCompressed(value, limit, compression);
    builder.add(isTooLarge ? { ...record, value: null, headers: pointing(record.headers, value) } : record);
  }
  return { ...staged, batch: await builder.buildOnPool(compression) };
}

function pointing(headers: OutgoingHeaders | undefined, value: Buffer): OutgoingHeaders {
  return { ...headers, [DEAD_LETTER_HEADER.omittedBytes]: String(value.length) };
}
