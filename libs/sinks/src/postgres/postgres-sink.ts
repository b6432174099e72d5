import type { BatchLimits, Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { isRetryable } from '@genesys-kafka/resilience';
import type { ClientBase } from 'pg';
import { SinkError } from '../errors.ts';
import { bytesArray, int8Array } from './array-parameter.ts';
import { Connections } from './connections.ts';
import { failureOf, isFleeting, type PostgresFailure } from './postgres-failure.ts';
import { targetOf, type PostgresSinkOptions, type PostgresTarget } from './postgres-options.ts';
import { settleBatch, type Written } from './settle-batch.ts';
import { prepareTable, quotedTable, type TableOptions } from './table.ts';

/** How often a statement is tried at once where a deadlock or a broken connection ended it. */
const TRIES = 3;

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

  deliver(
    batch: readonly Delivery[],
    signal: AbortSignal,
    onWritten: () => void = () => undefined,
  ): Promise<readonly DeliveryOutcome[]> {
    return settleBatch(batch, async (records) => this.#write(records, signal, onWritten));
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
      throw this.#checkError(failureOf(error));
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #write(records: readonly Delivery[], signal: AbortSignal, onWritten: () => void): Promise<Written> {
    for (let tried = 1; ; tried += 1) {
      try {
        await this.#connections.run(signal, async (client) => {
          await this.#prepare(client);
          onWritten();
          await client.query(this.#statement(records));
        });
        return { kind: 'delivered' };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SinkError) return refusalOf(error);
        const failure = failureOf(error);
        if (tried < TRIES && isFleeting(failure)) continue;
        return this.#outcomeOf(failure);
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

  #outcomeOf({ verdict, cause, reason }: PostgresFailure): Written {
    const failure = { cause, reason };
    if (verdict === 'record') return { kind: 'unstorable', failure };
    if (verdict === 'retry') return { kind: 'retry', failure };
    // Whoever mends the table is told what is still amiss, by name.
    this.#isPrepared = false;
    return { kind: 'misconfigured', failure };
  }

  #checkError({ verdict, code, cause, reason }: PostgresFailure): SinkError {
    const { shown } = this.#target;
    const facts = { details: { target: shown, cause } };
    if (cause === 'tls-refused') return new SinkError('sink-refused', `${shown}: ${reason}.`, facts);
    if (code.startsWith('28') || cause === 'login-refused')
      return new SinkError('sink-login-refused', `${shown}: ${reason}.`, facts);
    if (verdict === 'refused') return new SinkError('sink-database-refused', `${shown}: ${reason}.`, facts);
    const isAnswer = cause.startsWith('postgres-');
    return new SinkError(isAnswer ? 'sink-database-unready' : 'sink-unreachable', `${shown}: ${reason}.`, facts);
  }
}

function refusalOf(error: SinkError): Written {
  const failure = { cause: error.code.replace(/^sink-/, ''), reason: error.message };
  return { kind: isRetryable(error) ? 'retry' : 'misconfigured', failure };
}
