import { conversationSchemaText } from '@genesys-kafka/conversation';
import { connectKafka, prepareTopics, type KafkaClient } from '@genesys-kafka/kafka';
import {
  checkLedgerTopics,
  readLedger,
  recordTopics,
  type AcceptedChanges,
  type LaneOptions,
  type LedgerEntry,
  type LedgerTopics,
  type PublisherEvents,
  type PublisherLimits,
  type RecordCounts,
  type WindowError,
} from '@genesys-kafka/ledger';
import { requireSettings, type Logger } from '@genesys-kafka/runtime';
import { connectRegistry } from '@genesys-kafka/schema-registry';
import { LANES, partitionFor, topicSpecs, type TopicDescription, type TopicSpecs } from '@genesys-kafka/topics';
import { clockGuard } from '../genesys/clock-guard.ts';
import type { StageOptions } from '../pipeline/record-stage.ts';
import type { SourceOptions } from '../pipeline/source-publisher.ts';
import type { ReadOptions } from '../pipeline/validate-ahead.ts';
import { maxSendBytes, ValueEncoder, type Target } from '../pipeline/value-encoder.ts';
import type { Settings } from '../settings.ts';
import { ValidatingThread } from '../validate/validating-thread.ts';

export interface ProducerObserver extends PublisherEvents {
  onConnected(): void;
  onRecords(counts: RecordCounts, bytes: number): void;
  onSourceEnded(entry: LedgerEntry): void;
  /** A source that could not be opened, of which nothing is in the ledger. */
  onSourceRejected(source: string, error: WindowError): void;
  /** A file of a directory that is no source: a marker, or a part without content. */
  onSourcePassedOver(source: string, what: string): void;
  /** An archive that an earlier run left in its midst and that no argument holds. */
  onArchiveLeft(entry: LedgerEntry): void;
}

/** What every command that publishes works with: connected, and sure of its topics and its schema. */
export interface ProducerContext extends AsyncDisposable {
  readonly connector: string;
  /** An export's own lane: its transactional id, its ledger partition, its keys (docs/exactly-once.md, rule 6). */
  lane(exportId: string, signal: AbortSignal): LaneOptions;
  /** What the ledger holds of this connector, committed. */
  readEntries(signal: AbortSignal): Promise<readonly LedgerEntry[]>;
  /** What the reading and the publishing of every source need. */
  readonly reading: ReadOptions;
  readonly source: SourceOptions;
  readonly observer: ProducerObserver;
}

const MIB = 1024 * 1024;
/** Records that wait for the broker: with what is in flight inside kafkajs, the largest part of the memory. */
const BUFFER_BYTES = 6 * MIB;
/** A record's objects and headers, and what the client makes of them, about. */
const OBJECT_BYTES = 1024;
/** The size of send at which kafkajs is fastest here. */
const SEND_BYTES = 768 * 1024;

/**
 * Connects to Kafka and the registry, holds the topics against the ledger, creates missing ones, resolves the schema id:
 * all before the first record.
 */
export async function createContext(
  settings: Settings,
  log: Logger,
  observer: ProducerObserver,
  start: { readonly accepted: AcceptedChanges; readonly signal: AbortSignal },
): Promise<ProducerContext> {
  // Both at once: whoever sets one is told of the other.
  requireSettings(settings, ['kafka.brokers', 'schema.registry']);
  const { kafka, connector, record, invalid } = settings;
  await using stack = new AsyncDisposableStack();
  const client = stack.adopt(connectKafka(settings, log), async (opened) => opened.close());
  const validator = stack.use(new ValidatingThread({ schema: conversationSchemaText }));
  const specs = topicSpecs({ prefix: kafka.topicPrefix, dataPartitions: kafka.partitions });
  const [topics, schemaId] = await Promise.all([
    guardedTopics(client, specs, start),
    resolveSchemaId(settings, specs.data.name, log),
  ]);
  observer.onConnected();
  const [data, deadLetters] = topics.map(targetOf);
  const stage = { data: data!, deadLetters: deadLetters!, encoder: new ValueEncoder(schemaId, kafka.compression) };
  const limits = publisherLimits(settings, stage);
  const resources = stack.move();
  return {
    connector,
    lane: (exportId, signal) => ({
      client,
      signal,
      limits,
      events: observer,
      identity: {
        transactionalId: `${kafka.topicPrefix}${connector}.export.${exportId}`,
        ledger: { topic: specs.ledger.name, partition: partitionFor(exportId, LANES) },
        keyPrefix: `${exportId}/`,
      },
      onInterrupted: (error) => log.warn({ err: error }, 'publishing was interrupted; going on from what is committed'),
    }),
    readEntries: async (signal) => {
      const { entries } = await readLedger(client, specs.ledger.name, signal);
      return entries.filter((entry) => entry.connector === connector);
    },
    reading: { validator, scan: { maxRecordBytes: record.maxBytes, maxDepth: record.maxDepth } },
    source: {
      stage,
      invalidLimit: { maxShare: invalid.maxRatio, minRecords: invalid.minimumRecords },
      onRecords: (counts, bytes) => observer.onRecords(counts, bytes),
    },
    observer,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  };
}

/** Data, dead-letter and ledger topic. The ledger is asked before any topic is made, and told once all are there. */
async function guardedTopics(
  client: KafkaClient,
  specs: TopicSpecs,
  start: { readonly accepted: AcceptedChanges; readonly signal: AbortSignal },
): Promise<readonly TopicDescription[]> {
  const names = ledgerTopics(specs);
  const known = await checkLedgerTopics(client, names, start);
  const topics = await prepareTopics(client.admin, [specs.data, specs.deadLetters, specs.ledger]);
  await recordTopics(client, names, known, topics[0]!.partitions);
  return topics;
}

export function ledgerTopics({ data, deadLetters, ledger }: TopicSpecs): LedgerTopics {
  return { data: data.name, deadLetters: deadLetters.name, ledger: ledger.name };
}

function publisherLimits({ kafka }: Settings, { data, deadLetters }: StageOptions): PublisherLimits {
  const targets = new Map([data, deadLetters].map((target) => [target.topic, target]));
  return {
    transactionBytes: kafka.transaction.maxBytes,
    transactionMs: kafka.transaction.maxAgeMs,
    bufferBytes: BUFFER_BYTES,
    objectBytes: OBJECT_BYTES,
    sendBytes: Math.min(SEND_BYTES, Math.floor(BUFFER_BYTES / 2 / data.partitions)),
    maxSendBytes: (topic) => maxSendBytes(targets.get(topic)!),
  };
}

function targetOf({ name, partitions, config }: TopicDescription): Target {
  return { topic: name, partitions, maxMessageBytes: Number(config['max.message.bytes'] ?? MIB) };
}

/** Its answers are the first that our clock is held against; for `publish` of local files the only ones. @internal */
export async function resolveSchemaId(settings: Settings, topic: string, log: Logger): Promise<number> {
  const { register, compatibility } = settings.schema;
  const subject = `${topic}-value`;
  const request = { subject, schema: conversationSchemaText, mode: register, compatibility };
  return connectRegistry(settings, clockGuard(settings, log)).resolveId(request);
}
