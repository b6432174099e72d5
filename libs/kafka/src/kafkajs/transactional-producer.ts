import assert from 'node:assert/strict';
import { giveBack } from '@genesys-kafka/resilience/memory';
import { settledWithin, systemClock, type Clock } from '@genesys-kafka/resilience';
import kafkajs, { type Producer as KafkajsProducer, type Transaction as KafkajsTransaction } from 'kafkajs';
import { KafkaError, type KafkaErrorCode } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { EncodedBatch, OutgoingRecord, TopicPartition, Transaction, TransactionalProducer } from '../port.ts';
import { encodeBatch } from '../wire/encoded-batch.ts';
import type { Connection } from './connection.ts';
import { answeredWithin, toKafkaError } from './errors-mapping.ts';
import { assertAnswered, batchesRequest, sendBatches } from './send-batches.ts';

/**
 * kafkajs waits `initialRetryTime` whenever a transaction follows a commit at once, hence so short. 40 tries are about
 * 20 s, below the transaction timeout. Safe only with one topic-partition per send.
 */
const RETRY = { initialRetryTime: 20, maxRetryTime: 500, retries: 40 };
/** Fencing waits for the earlier instance's transaction to be aborted, and for a coordinator that is starting. */
const FENCE_PATIENCE_MS = 30_000;
const FENCE_RETRY_MS = 200;
const FENCE_LIMIT_MS = FENCE_PATIENCE_MS + 15_000;
const CLOSE_MS = 1000;
/** What is refused so has not been written, and is not on its way. */
const REFUSALS = new Set<KafkaErrorCode>(['message-too-large', 'record-refused', 'producer-discarded']);
const DISCARDED = 'the producer was discarded';

/** See the port. After any rejection every later call rejects at once with `producer-discarded`. */
export class KafkajsTransactionalProducer implements TransactionalProducer {
  readonly #connection: Connection;
  readonly #transactionalId: string;
  readonly #clock: Clock;
  readonly #producer: KafkajsProducer;
  readonly #sending = new Map<string, Promise<void>>();
  #connected = false;
  #open: KafkajsTransaction | undefined;
  #beginning = false;
  #closed = false;
  #failure: KafkaError | undefined;
  /** Whether all that was sent of a transaction has arrived, or has not, beyond doubt. */
  #isCertain = true;

  constructor(connection: Connection, transactionalId: string, clock: Clock = systemClock) {
    this.#connection = connection;
    this.#transactionalId = transactionalId;
    this.#clock = clock;
    this.#producer = sendBatches(connection.kafka(RETRY)).producer({
      transactionalId,
      idempotent: true,
      transactionTimeout: connection.transactionTimeoutMs,
      allowAutoTopicCreation: false,
      retry: RETRY,
      // Asked on every attempt of kafkajs's own: ends the retries of a producer that is done for.
      createPartitioner: () => (args) => {
        if (this.#closed || this.#failure) throw new kafkajs.KafkaJSNonRetriableError(DISCARDED);
        assert(args.message.partition !== undefined);
        return args.message.partition;
      },
    });
  }

  async begin(): Promise<Transaction> {
    this.#assertAlive();
    assert(!this.#open && !this.#beginning, 'a transaction of this producer is open already');
    this.#beginning = true;
    try {
      const transaction = await this.#guard('begin a transaction', FENCE_LIMIT_MS, () => this.#fence());
      this.#open = transaction;
      return {
        send: (target, records) => this.#send(transaction, target, records),
        sendBatches: (target, batches) => this.#sendBatches(transaction, target, batches),
        commit: () => this.#end('commit the transaction', () => transaction.commit()),
        abort: () => this.#end('abort the transaction', () => transaction.abort()),
      };
    } finally {
      this.#beginning = false;
    }
  }

  async close(): Promise<void> {
    const isRefused = this.#failure && this.#isCertain && this.#sending.size === 0;
    this.#closed = true;
    // Nobody waits for its time-out then, which is what readers would do. In doubt it is left to the brokers.
    if (isRefused && this.#open) await settledWithin(this.#open.abort(), CLOSE_MS);
    const settled = Promise.allSettled(this.#sending.values());
    // Twice: a send that is still retrying would connect again in between.
    const disconnected = this.#producer.disconnect().catch(() => undefined);
    const done = settled.then(() => this.#producer.disconnect());
    await settledWithin(Promise.all([disconnected, done]), CLOSE_MS);
  }

  /** kafkajs fences in its first `transaction()`; its own retries there cannot be set and end after some 10 s. */
  async #fence(): Promise<KafkajsTransaction> {
    const started = this.#clock.monotonicMs();
    for (;;) {
      try {
        if (!this.#connected) await this.#producer.connect();
        this.#connected = true;
        return await this.#producer.transaction();
      } catch (error) {
        const failure = this.#toError(error, 'begin a transaction');
        const patient = failure.code === 'broker-not-ready' && this.#connected;
        if (!patient || this.#closed || this.#clock.monotonicMs() - started > FENCE_PATIENCE_MS) throw failure;
        await this.#clock.sleep(FENCE_RETRY_MS);
      }
    }
  }

  async #send(
    transaction: KafkajsTransaction,
    target: TopicPartition,
    records: readonly OutgoingRecord[],
  ): Promise<void> {
    if (records.length === 0) return;
    const { compression } = this.#connection;
    const batches: EncodedBatch[] = [];
    const encode = async () => {
      batches.push(await encodeBatch(records, compression));
      return batches;
    };
    await this.#produce(transaction, target, records.length, encode);
    for (const { bytes } of batches) giveBack(bytes);
  }

  async #sendBatches(
    transaction: KafkajsTransaction,
    target: TopicPartition,
    batches: readonly EncodedBatch[],
  ): Promise<void> {
    const count = batches.reduce((sum, batch) => sum + batch.count, 0);
    await this.#produce(transaction, target, count, async () => batches);
  }

  async #produce(
    transaction: KafkajsTransaction,
    target: TopicPartition,
    count: number,
    encode: () => Promise<readonly EncodedBatch[]>,
  ): Promise<void> {
    this.#assertAlive();
    assert(this.#open, 'the transaction has ended');
    const name = partitionName(target);
    assert(!this.#sending.has(name), `two sends to ${name} at once`);
    const { deliveryTimeoutMs } = this.#connection;
    const sent = this.#guard(`send ${count} records to ${name}`, deliveryTimeoutMs, async () => {
      const batches = await encode();
      const request = batchesRequest(target, batches, this.#connection);
      try {
        assertAnswered(target, batches.length, await transaction.send(request));
      } finally {
        // A last attempt after close() may have connected again.
        if (this.#closed) this.#producer.disconnect().catch(() => undefined);
      }
    });
    this.#sending.set(name, sent);
    try {
      await sent;
    } finally {
      this.#sending.delete(name);
    }
  }

  async #end(doing: string, end: () => Promise<void>): Promise<void> {
    this.#assertAlive();
    assert(this.#open, 'the transaction has ended');
    assert.equal(this.#sending.size, 0, `${doing} while sends are in flight`);
    this.#open = undefined;
    await this.#guard(doing, this.#connection.deliveryTimeoutMs, end);
  }

  /** Any failure ends this producer: kafkajs's sequence numbers and state are not to be trusted after one. */
  async #guard<T>(doing: string, limitMs: number, call: () => Promise<T>): Promise<T> {
    try {
      return await answeredWithin(call(), limitMs, `${doing} as ${this.#transactionalId}`);
    } catch (error) {
      const failure = this.#toError(error, doing);
      this.#failure ??= failure;
      if (!REFUSALS.has(failure.code)) this.#isCertain = false;
      throw failure;
    }
  }

  #toError(error: unknown, doing: string): KafkaError {
    if (error instanceof Error && error.message === DISCARDED) return this.#discarded();
    return toKafkaError(error, {
      doing: `${doing} as ${this.#transactionalId}`,
      brokers: this.#connection.brokers,
      details: { transactionalId: this.#transactionalId },
    });
  }

  #assertAlive(): void {
    if (this.#failure || this.#closed) throw this.#discarded();
  }

  #discarded(): KafkaError {
    return new KafkaError(
      'producer-discarded',
      `The producer ${this.#transactionalId} ${this.#closed ? 'is closed' : 'failed before'}.`,
      this.#failure ? { cause: this.#failure } : {},
    );
  }
}
