import assert from 'node:assert/strict';
import { settledWithin } from '@genesys-kafka/resilience';
import kafkajs, { type Producer as KafkajsProducer } from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { partitionName } from '../partition-name.ts';
import type { OutgoingRecord, Producer, TopicPartition } from '../port.ts';
import { encodeBatch } from '../wire/encoded-batch.ts';
import type { Connection } from './connection.ts';
import { answeredWithin, toKafkaError } from './errors-mapping.ts';
import { assertAnswered, batchesRequest, sendBatches } from './send-batches.ts';

/** About 17 s where the brokers answer at once; `deliveryTimeoutMs` ends it where they do not. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 1000, retries: 20 };
const CLOSE_MS = 1000;

/** One kafkajs producer's life: it takes no more sends once one has failed, and disconnects when the last is back. */
interface Instance {
  readonly producer: KafkajsProducer;
  readonly connected: Promise<void>;
  readonly sending: Set<Promise<unknown>>;
  /** Nobody waits for its attempts any more: they are to end. */
  readonly abandoned: AbortController;
}

/**
 * See the port. Sends to one partition run one after the other, in the order of the calls. A rejected send leaves
 * kafkajs's sequence numbers wrong, so that the next send may be taken for a duplicate and dropped: hence each
 * instance serves only until its first failure.
 */
export class KafkajsIdempotentProducer implements Producer {
  readonly #connection: Connection;
  readonly #lastSends = new Map<string, Promise<void>>();
  #instance: Instance | undefined;
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async send(target: TopicPartition, records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return;
    const name = partitionName(target);
    const before = this.#lastSends.get(name) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.#sendNow(target, records));
    this.#lastSends.set(name, mine);
    try {
      await mine;
    } finally {
      if (this.#lastSends.get(name) === mine) this.#lastSends.delete(name);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const instance = this.#instance;
    this.#instance = undefined;
    if (instance) await settledWithin(discard(instance), CLOSE_MS);
  }

  async #sendNow(target: TopicPartition, records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#closed) throw new KafkaError('client-closed', 'The producer is closed.');
    const instance = (this.#instance ??= this.#start());
    const sent = this.#sendWith(instance, target, records);
    instance.sending.add(sent);
    sent.then(() => instance.sending.delete(sent)).catch(() => instance.sending.delete(sent));
    const { deliveryTimeoutMs, brokers } = this.#connection;
    const doing = `send ${records.length} records to ${partitionName(target)}`;
    try {
      await answeredWithin(sent, deliveryTimeoutMs, doing);
    } catch (error) {
      if (this.#instance === instance) this.#instance = undefined;
      if (instance.sending.has(sent)) instance.abandoned.abort();
      void discard(instance);
      throw toKafkaError(error, { doing, brokers });
    }
  }

  async #sendWith(instance: Instance, target: TopicPartition, records: readonly OutgoingRecord[]): Promise<void> {
    await instance.connected;
    const batch = await encodeBatch(records, this.#connection.compression);
    const request = batchesRequest(target, [batch], this.#connection);
    assertAnswered(target, 1, await instance.producer.send(request));
  }

  #start(): Instance {
    const abandoned = new AbortController();
    const producer = sendBatches(this.#connection.kafka(RETRY)).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      // Asked on every attempt of kafkajs's own.
      createPartitioner: () => (args) => {
        if (abandoned.signal.aborted) throw new kafkajs.KafkaJSNonRetriableError('the producer was discarded');
        assert(args.message.partition !== undefined);
        return args.message.partition;
      },
    });
    const connected = producer.connect();
    connected.catch(() => undefined);
    return { producer, connected, sending: new Set(), abandoned };
  }
}

/** Lets the other partitions' sends come to their end first: a disconnect below them would only connect again. */
async function discard(instance: Instance): Promise<void> {
  await Promise.allSettled(instance.sending);
  await instance.producer.disconnect().catch(() => undefined);
}
