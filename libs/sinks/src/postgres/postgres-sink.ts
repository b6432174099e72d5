import type { BatchLimits, Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { backoffMs, isRetryable, systemClock } from '@genesys-kafka/resilience';
import type { ClientBase } from 'pg';
import { SinkError } from '../errors.ts';
import { bytesArray, int8Array } from './array-parameter.ts';
import { Connections } from './connections.ts';
import { newestOfKeys } from './newest-of-keys.ts';
import { failureOf, failureWithoutRecord, isFleeting, type PostgresFailure } from './postgres-failure.ts';
import { targetOf, type PostgresSinkOptions, type PostgresTarget } from './postgres-options.ts';
import { prepareTable, quotedTable, type TableOptions } from './table.ts';

/** How often a statement is tried where a deadlock or a broken connection ended it… */
const TRIES = 3;
/** …and how long it steps back: whoever waits for its locks is to have them first, or the two meet again. */
const STEP_BACK = { initialMs: 50, factor: 4, maxMs: 1000, jitterMs: 50 };

const DELIVERED: DeliveryOutcome = { kind: 'delivered' };
const NO_KEY: DeliveryOutcome = {
  kind: 'rejected',
  failure: { cause: 'key-missing', reason: 'the record has no key, which would be its id in the table' },
  unsent: true,
};

/**
 * Upserts records by their key, one statement a batch; only a greater `Record-Version` overwrites, so that repeats and
 * stragglers change nothing. At least once. Throws `sink-option-invalid` for settings that cannot be used; connects, and
 * makes a missing table, with the first batch.
 */
export function createPostgresSink(options: PostgresSinkOptions): Sink {
  return new PostgresSink(targetOf(options), options);
}

class PostgresSink implements Sink {
  readonly batch: BatchLimits;
  readonly #target: PostgresTarget;
  readonly #table: TableOptions;
  readonly #connections: Connections;
  readonly #upsert: string;
  /** Whether the table has been looked at, and was as it should be. */
  #isPrepared = false;

  constructor(target: PostgresTarget, options: PostgresSinkOptions) {
    const { table, recordType = 'jsonb', columns = {}, maxConnections = 4, timeoutMs = 30_000 } = options;
    this.batch = options.batch;
    this.#target = target;
    this.#table = { table, recordType, columns };
    this.#connections = new Connections(target, { max: maxConnections, timeoutMs });
    this.#upsert = `
      INSERT INTO ${quotedTable(table)} AS stored (id, record, version, source, updated_at)
      SELECT id, record, version, source, now()
      FROM unnest($1::text[], $2::${recordType}[], $3::bigint[], $4::text[]) AS given (id, record, version, source)
      ON CONFLICT (id) DO UPDATE SET record = EXCLUDED.record, version = EXCLUDED.version,
        source = EXCLUDED.source, updated_at = EXCLUDED.updated_at
      WHERE stored.version < EXCLUDED.version`;
  }

  /**
   * Of several records with one key the newest is written, and the older ones with it are done, having been overtaken.
   * Where the statement cannot store one of its records, nobody knows which, and all of them are sent again in halves;
   * also where it may be that or the server, so that no record waits for what another one meets.
   */
  async deliver(
    batch: readonly Delivery[],
    signal: AbortSignal,
    onWritten: () => void = () => undefined,
  ): Promise<readonly DeliveryOutcome[]> {
    const keyed = batch.filter(({ key }) => key !== '');
    const written = keyed.length === 0 ? DELIVERED : await this.#write(newestOfKeys(keyed), signal, onWritten);
    const isUnclear = written.kind === 'rejected' && keyed.length > 1;
    const outcome: DeliveryOutcome = isUnclear ? { ...written, ofSeveral: true } : written;
    return batch.map(({ key }) => (key === '' ? NO_KEY : outcome));
  }

  /** The statement itself is tried too, with no record: it needs the very rights and the index that a batch needs. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#connections.run(signal, async (client) => {
        if (await prepareTable(client, this.#table, false)) await client.query(this.#statement([]));
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SinkError) throw error;
      throw this.#checkError(failureWithoutRecord(error));
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #write(records: readonly Delivery[], signal: AbortSignal, onWritten: () => void): Promise<DeliveryOutcome> {
    for (let tried = 1; ; tried += 1) {
      let isSent = false as boolean;
      try {
        await this.#connections.run(signal, async (client) => {
          await this.#prepare(client);
          isSent = true;
          onWritten();
          await client.query(this.#statement(records));
        });
        return DELIVERED;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SinkError) return refusalOf(error);
        const failure = isSent ? failureOf(error) : failureWithoutRecord(error);
        if (tried >= TRIES || !isFleeting(failure)) return this.#outcomeOf(failure, records.length);
        await systemClock.sleep(backoffMs(STEP_BACK, tried - 1), signal);
      }
    }
  }

  async #prepare(client: ClientBase): Promise<void> {
    if (this.#isPrepared) return;
    await prepareTable(client, this.#table, true);
    this.#isPrepared = true;
  }

  #statement(records: readonly Delivery[]) {
    const { recordType } = this.#table;
    return {
      text: this.#upsert,
      values: [
        bytesArray(
          'text',
          records.map(({ key }) => Buffer.from(key)),
        ),
        bytesArray(
          recordType,
          records.map(({ body }) => body),
        ),
        int8Array(records.map(({ recordVersion }) => recordVersion)),
        bytesArray(
          'text',
          records.map(({ idempotencyKey }) => Buffer.from(idempotencyKey)),
        ),
      ],
    };
  }

  #outcomeOf({ verdict, cause, reason }: PostgresFailure, records: number): DeliveryOutcome {
    const failure = { cause, reason };
    if (verdict === 'record' || (verdict === 'unclear' && records > 1)) return { kind: 'rejected', failure };
    if (verdict !== 'refused') return { kind: 'retry', failure };
    // Whoever mends the table is told what is still amiss, by name.
    this.#isPrepared = false;
    return { kind: 'misconfigured', failure };
  }

  #checkError({ verdict, code, cause, reason }: PostgresFailure): SinkError {
    const { shown } = this.#target;
    const facts = { details: { target: shown, cause } };
    if (cause === 'tls-refused')
      return new SinkError('sink-refused', `${shown}: ${reason}.`, {
        ...facts,
        ...(code === cause ? { remedy: 'Have the server offer it, or set tls: { mode: disable } of the sink.' } : {}),
      });
    if (code.startsWith('28') || cause === 'login-refused')
      return new SinkError('sink-login-refused', `${shown}: ${reason}.`, {
        ...facts,
        remedy: "Check user and database in the sink's `url`, its `password`, and the server's pg_hba.conf.",
      });
    if (verdict === 'refused') return new SinkError('sink-database-refused', `${shown}: ${reason}.`, facts);
    const isAnswer = cause.startsWith('postgres-');
    return new SinkError(isAnswer ? 'sink-database-unready' : 'sink-unreachable', `${shown}: ${reason}.`, facts);
  }
}

function refusalOf(error: SinkError): DeliveryOutcome {
  const failure = { cause: error.code.replace(/^sink-/, ''), reason: error.message };
  return { kind: isRetryable(error) ? 'retry' : 'misconfigured', failure };
}
