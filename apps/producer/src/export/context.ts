import { conversationSchemaText } from '@genesys-kafka/conversation';
import { openLetterObjects } from '@genesys-kafka/dead-letters';
import { connectKafka, prepareTopics, type GroupConsumer, type KafkaClient } from '@genesys-kafka/kafka';
import {
  assertSameTopics,
  checkLedgerTopics,
  LaneDigests,
  readLedger,
  recordTopics,
  runPrefix,
  topicIds,
  topicsTag,
  type AcceptedChanges,
  type ClaimedLane,
  type LaneOptions,
  type LanePublisher,
  type LedgerEntry,
  type LedgerLine,
  type LedgerTopics,
  type PublisherEvents,
  type PublisherLimits,
  type RecordCounts,
  type TopicIds,
  type TopicsTag,
  type WindowError,
} from '@genesys-kafka/ledger';
import { requireSettings, type Logger } from '@genesys-kafka/runtime';
import { connectRegistry } from '@genesys-kafka/schema-registry';
import { LANES, partitionFor, topicSpecs, type TopicDescription, type TopicSpecs } from '@genesys-kafka/topics';
import { clockGuard } from '../genesys/clock-guard.ts';
import { LetterOutlet } from '../pipeline/letter-outlet.ts';
import type { SourceOptions } from '../pipeline/source-publisher.ts';
import { Stages, type Reading } from '../pipeline/stages.ts';
import type { Settings } from '../settings.ts';
import { SEGMENT_BYTES } from '../stage/segment.ts';
import { StagingThread } from '../stage/staging-thread.ts';
import { StagingThreads } from '../stage/staging-threads.ts';
import type { EncodeOptions, Target } from '../stage/value-encoder.ts';

export interface ProducerObserver extends PublisherEvents {
  onConnected(): void;
  onRecords(counts: RecordCounts, bytes: number): void;
  /** An archive of so many bytes, unpacked, begins to be checked and made ready to be sent. */
  onStaging(bytes: number): void;
  onStaged(bytes: number): void;
  onSourceEnded(entry: LedgerEntry): void;
  /** A source that could not be opened, of which nothing is in the ledger. */
  onSourceRejected(source: string, error: WindowError): void;
  /** A file of a directory that is no source: a marker, or a part without content. */
  onSourcePassedOver(source: string, what: string): void;
  /** An archive that an earlier run left in its midst and that no argument holds. */
  onArchiveLeft(entry: LedgerEntry): void;
  /** Object storage did not take dead letters, which are tried again; `notReady` says so until they are written. */
  onLettersRefused(error: unknown, waitMs: number): void;
  /** What writes dead letters to object storage, for whoever asks whether all is well. */
  onKeeper(keeper: { readonly notReady: string | undefined }): void;
}

/** What every command that publishes works with: connected, and sure of its topics and its schema. */
export interface ProducerContext extends AsyncDisposable, Reading {
  readonly connector: string;
  /** An export's own lane: its transactional id, its ledger partition, its keys (docs/exactly-once.md, rule 6). */
  lane(exportId: string, signal: AbortSignal): LaneOptions;
  /** A lane of the windows that `run` follows (rule 7). */
  runLane(lane: number, signal: AbortSignal): LaneOptions;
  /** Rejects with `ledger-missing` or `data-missing` where these were made anew since the start, or with a KafkaError. */
  assertSameTopics(): Promise<void>;
  /** A new member of the group by which the processes of `run` share the lanes: the ledger's partitions. */
  runGroup(): GroupConsumer;
  /** What the ledger holds of this connector, committed. */
  readEntries(signal: AbortSignal): Promise<readonly LedgerLine[]>;
  /** What the publishing of every source needs. */
  readonly source: SourceOptions;
  /** Of a lane that is claimed, for as long as its publisher; undefined where everything is published. */
  digests(lane: ClaimedLane, publisher: LanePublisher, signal: AbortSignal): LaneDigests | undefined;
  readonly observer: ProducerObserver;
}

const MIB = 1024 * 1024;
/** Batches that wait for the broker, compressed: some steps. On a slow line all of them have to pass in one transaction. */
const BUFFER_BYTES = MIB;
/** The size of send at which kafkajs is fastest here. */
const BATCH_BYTES = 768 * 1024;

/** After so long without a sign of life a process of `run` loses its lanes: what it would do then is fenced. */
const RUN_SESSION_MS = 10_000;

/** What is said of this start alone. */
interface Start {
  readonly accepted: AcceptedChanges;
  readonly signal: AbortSignal;
  /** Only what has changed is published: digests are read and written, and their topic is made. */
  readonly changedOnly?: boolean;
}

/**
 * Connects to Kafka and the registry, holds the topics against the ledger, creates missing ones, resolves the schema id:
 * all before the first record.
 */
export async function createContext(
  settings: Settings,
  log: Logger,
  observer: ProducerObserver,
  start: Start,
): Promise<ProducerContext> {
  // Both at once: whoever sets one is told of the other.
  requireSettings(settings, ['kafka.brokers', 'schema.registry']);
  const { kafka, connector, record, invalid } = settings;
  await using stack = new AsyncDisposableStack();
  const client = stack.adopt(connectKafka(settings, log), async (opened) => opened.close());
  // The threads compile their schema meanwhile.
  const encode = Promise.withResolvers<EncodeOptions>();
  const thread = () => new StagingThread({}, encode.promise);
  const stager = stack.use(new StagingThreads(Array.from({ length: settings.staging.threads }, thread)));
  const specs = topicSpecs({ prefix: kafka.topicPrefix, dataPartitions: kafka.partitions });
  const [{ topics, ids, tags }, schemaId, keeper] = await Promise.all([
    guardedTopics(client, specs, start, settings.deadLetters.topic),
    resolveSchemaId(settings, specs.data.name, log),
    openLetterObjects(settings, stack, (error, waitMs) => observer.onLettersRefused(error, waitMs), start.signal),
  ]);
  if (keeper) observer.onKeeper(keeper);
  observer.onConnected();
  const [data, lettersTopic] = [topics.data, topics.deadLetters].map((topic) => topic && targetOf(topic));
  const staged: Target = keeper ? anySize(specs.deadLetters.name, lettersTopic ?? data!) : lettersTopic!;
  const { compression } = kafka;
  encode.resolve({ schemaId, compression, data: data!, deadLetters: staged, batchBytes: BATCH_BYTES });
  const limits: PublisherLimits = {
    transactionBytes: kafka.transaction.maxBytes,
    transactionMs: kafka.transaction.maxAgeMs,
    bufferBytes: BUFFER_BYTES,
    stepBytes: SEGMENT_BYTES * 2,
  };
  const pages = { stager, scan: { maxRecordBytes: record.maxBytes, maxDepth: record.maxDepth } };
  const stages = stack.use(new Stages({ ...pages, spoolDir: settings.spool.dir, observer }));
  const resources = stack.move();
  const names = brokerNames(settings);
  const ledger = specs.ledger.name;
  const partitions = (partition: number) => ({
    ledger: { topic: ledger, partition },
    ...(tags ? { digests: { topic: specs.digests.name, partition } } : {}),
  });
  const sameTopics = async () => assertSameTopics(client.admin, ledgerTopics(specs), ids);
  const laneOf = (identity: LaneOptions['identity'], signal: AbortSignal): LaneOptions => ({
    client,
    signal,
    limits,
    events: observer,
    identity,
    mayClaim: sameTopics,
    onInterrupted: (error) => log.warn({ err: error }, 'publishing was interrupted; going on from what is committed'),
  });
  return {
    connector,
    lane: (exportId, signal) => {
      const partition = partitionFor(exportId, LANES);
      const transactionalId = names.exportId(exportId);
      return laneOf({ transactionalId, ...partitions(partition), keyPrefix: `${exportId}/` }, signal);
    },
    runLane: (lane, signal) => {
      const transactionalId = names.laneId(lane);
      return laneOf({ transactionalId, ...partitions(lane), keyPrefix: runPrefix(connector) }, signal);
    },
    assertSameTopics: sameTopics,
    runGroup: () => {
      const group = { groupId: names.runGroup, topics: [ledger], keepsPartitions: true } as const;
      return client.groupConsumer({ ...group, sessionTimeoutMs: RUN_SESSION_MS });
    },
    readEntries: async (signal) => {
      const { entries } = await readLedger(client, specs.ledger.name, signal);
      return entries.filter((entry) => entry.connector === connector);
    },
    pages,
    stages,
    source: {
      invalidLimit: { maxShare: invalid.maxRatio, minRecords: invalid.minimumRecords },
      onRecords: (counts, bytes) => observer.onRecords(counts, bytes),
      outlet: keeper && new LetterOutlet({ staged: staged.topic, topic: lettersTopic, keeper }),
    },
    digests: (lane, publisher, signal) =>
      tags && new LaneDigests({ client, lane, publisher, signal, format: { ...tags, compression } }),
    observer,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  };
}

/**
 * Data, dead-letter and ledger topic, and that of the digests where they are kept. The ledger is asked before any topic
 * is made, and told once all are there. Digests that are gone are no reason to stop: what they lack is published.
 */
async function guardedTopics(
  client: KafkaClient,
  specs: TopicSpecs,
  start: Start,
  hasLetters: boolean,
): Promise<{
  readonly topics: { readonly data: TopicDescription; readonly deadLetters: TopicDescription | undefined };
  readonly ids: TopicIds;
  readonly tags: { readonly tag: TopicsTag; readonly deadLettersTag: TopicsTag } | undefined;
}> {
  const names = ledgerTopics(specs);
  const known = await checkLedgerTopics(client, names, start);
  const wanted = [
    specs.data,
    specs.ledger,
    ...(hasLetters ? [specs.deadLetters] : []),
    ...(start.changedOnly ? [specs.digests] : []),
  ];
  const found = await prepareTopics(client.admin, wanted);
  const named = (name: string) => found.find((topic) => topic.name === name);
  const data = named(specs.data.name)!;
  await recordTopics(client, names, known, data.partitions);
  const ids = await topicIds(client.admin, names);
  const tags = { tag: topicsTag(ids, known), deadLettersTag: topicsTag({ ...ids, data: ids.deadLetters }, known) };
  return {
    topics: { data, deadLetters: named(specs.deadLetters.name) },
    ids,
    tags: start.changedOnly ? tags : undefined,
  };
}

/** Transactional ids of a connector, and the group of its `run`. */
export function brokerNames({ kafka, connector }: Settings) {
  const own = `${kafka.topicPrefix}${connector}`;
  return {
    exportId: (exportId: string) => `${own}.export.${exportId}`,
    laneId: (lane: number) => `${own}.lane.${lane}`,
    runGroup: `${own}.run`,
  };
}

export function ledgerTopics({ data, deadLetters, ledger }: TopicSpecs): LedgerTopics {
  return { data: data.name, deadLetters: deadLetters.name, ledger: ledger.name };
}

/** Where dead letters are staged that go to object storage first: of any size. */
function anySize(topic: string, { partitions }: Target): Target {
  return { topic, partitions, maxMessageBytes: Number.MAX_SAFE_INTEGER };
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
