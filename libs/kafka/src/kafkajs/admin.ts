import { backoffMs, settledWithin, systemClock, type Clock } from '@genesys-kafka/resilience';
import type { TopicDescription, TopicSpec } from '@genesys-kafka/topics';
import kafkajs, { type Admin, type ITopicConfig, type ResourceConfigQuery } from 'kafkajs';
import { KafkaError, type KafkaErrorCode } from '../errors.ts';
import type { GroupCommit, KafkaAdmin, PartitionOffsets } from '../port.ts';
import type { TopicRights } from '../wire/topic-id.ts';
import type { Connection } from './connection.ts';
import { toKafkaError } from './errors-mapping.ts';
import { createCluster, fetchTopicId, fetchTopicRights, type Broker, type Cluster } from './internals.ts';
import { SharedConnection, type Connected } from './shared-connection.ts';
import { mayJoin, mayTransact } from './try-rights.ts';

const LEADER_WAIT_MS = 30_000;
const LEADER_POLL_MS = 100;
const CLOSE_MS = 1000;
/** A rolling restart takes a partition's leader away for some seconds, and a coordinator for as long. */
const PATIENCE_MS = 30_000;
/** A broker that has just started, or a topic that is just made, is unknown for a moment. */
const TOPIC_PATIENCE_MS = 5000;
const BACKOFF = { initialMs: 200, factor: 2, maxMs: 2000, jitterMs: 200 };
/** Kafka's own, there from the first group on, and replicated like everything else of the cluster. */
const OFFSETS_TOPIC = '__consumer_offsets';
const NOTHING_COMMITTED = -1n;

/** See the port. Connects with the first call, and again after one that failed. Never calls alterConfigs. */
export class KafkajsAdmin implements KafkaAdmin {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #admin: SharedConnection<Admin>;
  /** kafkajs's admin tells neither a topic's id nor where its partitions end with what open transactions hold. */
  readonly #cluster: SharedConnection<Cluster>;
  #hasAnswered = false;
  #closed = false;

  constructor(connection: Connection, clock: Clock = systemClock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#admin = new SharedConnection(async () => connected(connection.kafka().admin()));
    this.#cluster = new SharedConnection(async () => connected(createCluster(connection.kafka(), 'read_uncommitted')));
  }

  async brokers(): Promise<readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]> {
    return this.#call(this.#admin, 'list the brokers', async (admin) => {
      const { brokers } = await admin.describeCluster();
      return brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }));
    });
  }

  async describeTopic(name: string): Promise<TopicDescription | undefined> {
    const layout = await this.#layout(name);
    if (layout === undefined) return undefined;
    try {
      const topic = { type: kafkajs.ConfigResourceTypes.TOPIC, name };
      return { name, ...layout, config: await this.#config(topic, `describe the topic ${name}`) };
    } catch (error) {
      // Deleted meanwhile: brokers' metadata learn of it last.
      if (codeOf(error) === 'topic-missing' && (await this.#layout(name)) === undefined) return undefined;
      throw error;
    }
  }

  async createMissing(topics: readonly TopicSpec[]): Promise<readonly string[]> {
    const found = await Promise.all(topics.map(({ name }) => this.#layout(name)));
    const missing = topics.filter((_, index) => found[index] === undefined);
    if (missing.length === 0) return [];
    await this.#create(missing);
    await this.#leadersKnown(missing.map(({ name }) => name));
    return missing.map(({ name }) => name);
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.#call(this.#admin, `read the offsets of ${topic}`, async (admin) => {
      // kafkajs asks with read_committed: "high" is the last stable offset.
      const offsets = await admin.fetchTopicOffsets(topic);
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      // kafkajs leaves out what has no leader: whoever asks would take it for nothing.
      if (offsets.length !== topics[0]?.partitions.length) {
        throw new KafkaError('broker-not-ready', `Some partitions of ${topic} have no leader.`);
      }
      return offsets
        .map(({ partition, low, high }) => ({ partition, first: BigInt(low), end: BigInt(high) }))
        .sort((a, b) => a.partition - b.partition);
    });
  }

  async offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, bigint>> {
    // What kafkajs falls back to may lie behind an open transaction.
    const ends = new Map((await this.offsets(topic)).map(({ partition, end }) => [partition, end]));
    const found = await this.#call(this.#admin, `look for a moment in ${topic}`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, timestampMs),
    );
    const at = new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]));
    return new Map(
      [...ends].map(([partition, end]) => {
        const offset = at.get(partition) ?? end;
        return [partition, offset >= 0n && offset < end ? offset : end];
      }),
    );
  }

  async hidden(topic: string): Promise<ReadonlyMap<number, bigint>> {
    // In this order: an end that is read first could lie below a stable offset that is read later.
    const stable = await this.offsets(topic);
    const ends = await this.#call(this.#cluster, `read the offsets of ${topic}`, (cluster) =>
      logEnds(cluster, topic, stable.length),
    );
    return new Map(
      stable.map(({ partition, end }) => {
        const logEnd = ends.get(partition);
        if (logEnd === undefined) throw new KafkaError('broker-not-ready', `The end of ${topic} is not known.`);
        return [partition, logEnd - end];
      }),
    );
  }

  async topicId(topic: string): Promise<string | undefined> {
    return this.#call(this.#cluster, `look up the topic ${topic}`, (cluster) => ofTopic(cluster, topic, fetchTopicId));
  }

  async groupCommits(groupId: string, topic: string): Promise<ReadonlyMap<number, GroupCommit>> {
    return this.#call(this.#admin, `read the offsets of group ${groupId}`, async (admin) => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = found?.partitions ?? [];
      // kafkajs asks for the partitions that it knows of: whoever asks would take the others for new.
      if (partitions.length === 0 || partitions.length !== topics[0]?.partitions.length)
        throw new KafkaError('broker-not-ready', `Not all partitions of ${topic} are known yet.`);
      const commits = partitions.map(
        ({ partition, offset, metadata }) => [partition, { offset: BigInt(offset), note: metadata ?? '' }] as const,
      );
      return new Map(commits.filter(([, { offset }]) => offset !== NOTHING_COMMITTED));
    });
  }

  async tryCreate(topics: readonly TopicSpec[]): Promise<void> {
    await this.#create(topics, true);
  }

  async topicRights(topic: string): Promise<TopicRights | undefined> {
    return this.#call(this.#cluster, `look up rights on the topic ${topic}`, async (cluster) => {
      try {
        return await ofTopic(cluster, topic, fetchTopicRights);
      } catch (error) {
        if (codeOf(error) === 'authorization-failed') return { read: false, write: false };
        throw error;
      }
    });
  }

  async mayTransact(transactionalId: string): Promise<boolean> {
    const doing = `try the transactional id ${transactionalId}`;
    return this.#call(this.#cluster, doing, (cluster) => mayTransact(cluster, transactionalId));
  }

  async mayJoin(groupId: string): Promise<boolean> {
    return this.#call(this.#cluster, `try the group ${groupId}`, (cluster) => mayJoin(cluster, groupId));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await settledWithin(Promise.all([this.#admin.close(), this.#cluster.close()]), CLOSE_MS);
  }

  async #create(topics: readonly TopicSpec[], validateOnly = false): Promise<void> {
    const replicated = await this.#hasThreeBrokers();
    const made = topics.map((spec) => creation(spec, replicated));
    await this.#call(this.#admin, `create ${topics.map(({ name }) => name).join(', ')}`, (admin) =>
      // Resolves with false where somebody else was faster: as good as our own.
      admin.createTopics({ waitForLeaders: false, validateOnly, topics: made }),
    );
  }

  /** A broker that is away just now does not show, and what is made meanwhile stays as it is made: others' replicas do. */
  async #hasThreeBrokers(): Promise<boolean> {
    const brokers = await this.brokers();
    if (brokers.length >= 3) return true;
    // Who may not look at it goes by the brokers alone.
    const replicas = async () => (await this.#layout(OFFSETS_TOPIC))?.replicas ?? this.#ownReplicas(brokers[0]!.nodeId);
    return (await replicas().catch(() => 1)) >= 3;
  }

  /** With how many the brokers will make their own topics, without which there are neither groups nor transactions. */
  async #ownReplicas(nodeId: number): Promise<number> {
    const configNames = ['offsets.topic.replication.factor', 'transaction.state.log.replication.factor'];
    const broker = { type: kafkajs.ConfigResourceTypes.BROKER, name: String(nodeId), configNames };
    const config = await this.#config(broker, `describe the broker ${nodeId}`);
    return Math.min(...configNames.map((name) => Number(config[name])));
  }

  async #config(resource: ResourceConfigQuery, doing: string): Promise<TopicDescription['config']> {
    return this.#call(this.#admin, doing, async (admin) => {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
      const entries = resources[0]?.configEntries ?? [];
      return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
    });
  }

  async #layout(topic: string): Promise<Pick<TopicDescription, 'partitions' | 'replicas'> | undefined> {
    return this.#call(this.#admin, `look up the topic ${topic}`, async (admin) => {
      try {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        const partitions = topics[0]?.partitions;
        return partitions && { partitions: partitions.length, replicas: fewestReplicas(partitions) };
      } catch (error) {
        if (codeOf(error) === 'topic-missing') return undefined;
        throw error;
      }
    });
  }

  /** Asks every broker: each of them learns of a new topic at its own time. */
  async #leadersKnown(topics: readonly string[]): Promise<void> {
    const started = this.#clock.monotonicMs();
    const cluster = createCluster(this.#connection.kafka());
    try {
      await cluster.connect();
      while (!(await allKnow(cluster, topics))) {
        if (this.#clock.monotonicMs() - started > LEADER_WAIT_MS) {
          throw new KafkaError('broker-not-ready', `The new topics ${topics.join(', ')} have no leaders after 30 s.`);
        }
        await this.#clock.sleep(LEADER_POLL_MS);
      }
    } catch (error) {
      throw toKafkaError(error, { doing: 'wait for the leaders of new topics', brokers: this.#connection.brokers });
    } finally {
      cluster.disconnect().catch(() => undefined);
    }
  }

  /**
   * Every question goes through here. A broker that is not ready, or gone after one had answered before, is asked again
   * with backoff for as long as leaders take to move; a wrong address is told at once.
   */
  async #call<C extends Connected, T>(
    connection: SharedConnection<C>,
    doing: string,
    ask: (connected: C) => Promise<T>,
  ): Promise<T> {
    const started = this.#clock.monotonicMs();
    for (let attempt = 0; ; attempt += 1) {
      try {
        // kafkajs does not come back by itself from a lost seed broker, nor from metadata without leaders; and once it was
        // asked for a topic that is no more it says of each one that it is missing.
        const answer = await connection.ask(ask, (error) => {
          const { retry, code } = this.#toError(error, doing);
          return retry || code === 'topic-missing';
        });
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        const failure = this.#toError(error, doing);
        const waitMs = backoffMs(BACKOFF, attempt);
        const waitedMs = this.#clock.monotonicMs() + waitMs - started;
        if (this.#closed || waitedMs > this.#patienceMs(failure)) throw failure;
        await this.#clock.sleep(waitMs);
      }
    }
  }

  #patienceMs(failure: KafkaError): number {
    if (failure.code === 'topic-missing') return TOPIC_PATIENCE_MS;
    return failure.retry && (failure.code === 'broker-not-ready' || this.#hasAnswered) ? PATIENCE_MS : 0;
  }

  #toError(error: unknown, doing: string): KafkaError {
    return toKafkaError(error, { doing, brokers: this.#connection.brokers });
  }
}

function fewestReplicas(partitions: readonly { readonly replicas: readonly number[] }[]): number {
  return Math.min(...partitions.map(({ replicas }) => replicas.length));
}

/** Of a failure that is told to nobody. */
function codeOf(error: unknown): KafkaErrorCode {
  return toKafkaError(error, { doing: '', brokers: '' }).code;
}

async function connected<C extends { connect(): Promise<void> }>(connection: C): Promise<C> {
  await connection.connect();
  return connection;
}

/** Where partitions end with what open transactions hold; of a cluster that reads uncommitted. */
async function logEnds(cluster: Cluster, topic: string, partitions: number): Promise<ReadonlyMap<number, bigint>> {
  await cluster.addTargetTopic(topic);
  const asked = Array.from({ length: partitions }, (_, partition) => ({ partition }));
  const [found] = await cluster.fetchTopicsOffset([{ topic, fromBeginning: false, partitions: asked }]);
  return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]));
}

/** Of whichever broker answers; rejects with what the last one failed with. Undefined where there is no topic. */
async function ofTopic<T>(
  cluster: Cluster,
  topic: string,
  ask: (broker: Broker, topic: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    // Without a topic of its own a cluster asks for the metadata of all, and fails with any of them.
    await cluster.addTargetTopic(topic);
  } catch (error) {
    if (codeOf(error) === 'topic-missing') return undefined;
    throw error;
  }
  let failure = new Error('no broker is known');
  for (const nodeId of cluster.getNodeIds()) {
    try {
      return await ask(await cluster.findBroker({ nodeId }), topic);
    } catch (error) {
      failure = error as Error;
    }
  }
  throw failure;
}

function creation(spec: TopicSpec, replicated: boolean): ITopicConfig {
  const config = { ...spec.config, ...(replicated ? { 'min.insync.replicas': '2' } : {}) };
  return {
    topic: spec.name,
    numPartitions: spec.partitions,
    replicationFactor: replicated ? 3 : 1,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
  };
}

async function allKnow(cluster: Cluster, topics: readonly string[]): Promise<boolean> {
  try {
    await cluster.addTargetTopic(topics[0]!);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'topic-missing' || code === 'broker-not-ready') return false;
    throw error;
  }
  const answers = await Promise.all(
    cluster.getNodeIds().map(async (nodeId) => {
      try {
        await (await cluster.findBroker({ nodeId })).metadata(topics);
        return 'known';
      } catch (error) {
        const code = codeOf(error);
        if (code === 'topic-missing' || code === 'broker-not-ready') return 'unknown';
        // A broker that is down is for the others to replace.
        if (code === 'broker-unreachable') return 'down';
        throw error;
      }
    }),
  );
  return answers.includes('known') && !answers.includes('unknown');
}
