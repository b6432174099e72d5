import { conversationSchemaText } from '@genesys-kafka/conversation';
import { connectKafka, type KafkaClient } from '@genesys-kafka/kafka';
import type {
  LaneOptions,
  LanePublisher,
  LedgerEntry,
  PublisherEvents,
  PublisherLimits,
  RecordCounts,
  WindowError,
} from '@genesys-kafka/ledger';
import { requireSettings, type Logger } from '@genesys-kafka/runtime';
import { connectRegistry } from '@genesys-kafka/schema-registry';
import { checkTopic, LANES, partitionFor, topicSpecs, type TopicSpec, type TopicSpecs } from '@genesys-kafka/topics';
import { TopicUnfitError } from '../errors.ts';
import { maxSendBytes, RecordStage, type StageOptions, type Target } from '../pipeline/record-stage.ts';
import type { Settings } from '../settings.ts';
import type { Judge } from '../validate/judge.ts';
import { WorkerJudge } from '../validate/worker-judge.ts';
import type { WindowContext } from './window-run.ts';

/** What every command that publishes works with. */
export interface ProducerContext extends AsyncDisposable {
  readonly settings: Settings;
  readonly client: KafkaClient;
  /** An export's own lane: its transactional id, its ledger partition, its keys (design.md, "Exactly once"). */
  lane(exportId: string, signal: AbortSignal): LaneOptions;
  /** What is the same for all windows of a lane. */
  window(
    publisher: LanePublisher,
  ): Pick<WindowContext, 'publisher' | 'stages' | 'reading' | 'invalidLimit' | 'onRecords'>;
  onSourceEnded(entry: LedgerEntry): void;
  /** A source that could not be opened, of which nothing is in the ledger. */
  onSourceRejected(source: string, error: WindowError): void;
}

export interface ProducerObserver extends PublisherEvents {
  onConnected(): void;
  onRecords(counts: RecordCounts, bytes: number): void;
  onSourceEnded(entry: LedgerEntry): void;
  /** A source that could not be opened, of which nothing is in the ledger. */
  onSourceRejected(source: string, error: WindowError): void;
}

const MIB = 1024 * 1024;
/** Records that wait for the broker: with what is in flight inside kafkajs, the largest part of the memory. */
const BUFFER_BYTES = 6 * MIB;
/** The size of send at which kafkajs is fastest here. */
const SEND_BYTES = 768 * 1024;

/** Connects to Kafka and the registry, creates missing topics, resolves the schema id: all before the first record. */
export async function createContext(
  settings: Settings,
  log: Logger,
  observer: ProducerObserver,
): Promise<ProducerContext> {
  // Both at once: whoever sets one is told of the other.
  requireSettings(settings, ['kafka.brokers', 'schema.registry']);
  const client = connectKafka(settings, log);
  const judge = new WorkerJudge();
  try {
    const specs = topicSpecs({ prefix: settings.kafka.topicPrefix, dataPartitions: settings.kafka.partitions });
    const [targets, schemaId] = await Promise.all([
      prepareTopics(client, specs),
      resolveSchemaId(settings, specs.data.name),
    ]);
    observer.onConnected();
    const stage = { ...targets, schemaId, compression: settings.kafka.compression };
    return assemble(settings, client, specs, stage, judge, observer, log);
  } catch (error) {
    await Promise.all([client.close(), judge[Symbol.asyncDispose]()]);
    throw error;
  }
}

async function prepareTopics(client: KafkaClient, specs: TopicSpecs): Promise<{ data: Target; deadLetters: Target }> {
  const own = [specs.data, specs.deadLetters, specs.ledger];
  await client.admin.createMissing(own);
  const [data, deadLetters] = await Promise.all(own.map((spec) => fitTopic(client, spec)));
  return { data: data!, deadLetters: deadLetters! };
}

async function fitTopic(client: KafkaClient, spec: TopicSpec): Promise<Target> {
  const topic = await client.admin.describeTopic(spec.name);
  const problems = topic ? checkTopic(spec, topic) : [`${spec.name}: could not be created.`];
  if (!topic || problems.length > 0) throw new TopicUnfitError(problems);
  const maxMessageBytes = Number(topic.config['max.message.bytes'] ?? MIB);
  return { topic: spec.name, partitions: topic.partitions, maxMessageBytes };
}

async function resolveSchemaId(settings: Settings, topic: string): Promise<number> {
  const { register, compatibility } = settings.schema;
  const subject = `${topic}-value`;
  const request = { subject, schema: conversationSchemaText, mode: register, compatibility };
  return connectRegistry(settings).resolveId(request);
}

function assemble(
  settings: Settings,
  client: KafkaClient,
  specs: TopicSpecs,
  stage: StageOptions,
  judge: Judge,
  observer: ProducerObserver,
  log: Logger,
): ProducerContext {
  const { kafka, connector } = settings;
  const targets = new Map([stage.data, stage.deadLetters].map((target) => [target.topic, target]));
  const limits: PublisherLimits = {
    transactionBytes: kafka.transaction.maxBytes,
    transactionMs: kafka.transaction.maxAgeMs,
    bufferBytes: BUFFER_BYTES,
    sendBytes: Math.min(SEND_BYTES, Math.floor(BUFFER_BYTES / 2 / stage.data.partitions)),
    maxSendBytes: (topic) => maxSendBytes(targets.get(topic)!),
  };
  return {
    settings,
    client,
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
    window: (publisher) => ({
      publisher,
      stages: { forSource: (source) => new RecordStage(stage, source) },
      reading: { judge, scan: { maxRecordBytes: settings.record.maxBytes, maxDepth: settings.record.maxDepth } },
      invalidLimit: { maxShare: settings.invalid.maxRatio, minRecords: settings.invalid.minimumRecords },
      onRecords: (counts, bytes) => observer.onRecords(counts, bytes),
    }),
    onSourceEnded: (entry) => observer.onSourceEnded(entry),
    onSourceRejected: (source, error) => observer.onSourceRejected(source, error),
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), judge[Symbol.asyncDispose]()]);
    },
  };
}
