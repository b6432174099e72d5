import { createHash } from 'node:crypto';
import type { BatchLimits } from '@genesys-kafka/delivery';
import {
  checkCluster,
  checkRights,
  KafkaError,
  prepareTopics,
  withRemedy,
  type KafkaClient,
  type KafkaErrorCode,
} from '@genesys-kafka/kafka';
import { LANES, partitionFor, type TopicSpec } from '@genesys-kafka/topics';

export interface KafkaSinkOptions {
  /** In the configuration, for messages. */
  readonly name: string;
  readonly client: KafkaClient;
  readonly topic: string;
  /** The target lies in the cluster that is read, and so do the dead letters: they go in the records' transactions. */
  readonly isOwnCluster: boolean;
  /** Keeps what is written of each input partition, beside the target. */
  readonly positions: TopicSpec;
  /** Whether values keep the frame of the source's registry. */
  readonly frame: 'keep' | 'strip';
  readonly compression: 'zstd' | 'gzip' | 'none';
  readonly batch: BatchLimits;
  /** Names that the consumer reads itself, where this is its own cluster: a record would go round for ever. */
  readonly ownTopics: readonly string[];
  /** Ids that routes will write as, for the check. */
  readonly transactionalIds: readonly string[];
}

/** The target topic as it is. */
export interface Target {
  readonly topic: string;
  readonly partitions: number;
  /** The most that it takes in one batch. */
  readonly maxBytes: number;
  /** Changes when it is deleted and made anew. */
  readonly tag: string;
}

const RIGHTS = 'Grant this principal the rights that docs/sinks/kafka.md lists.';
const REMEDIES: Partial<Record<KafkaErrorCode, (at: string) => string>> = {
  'authentication-failed': (at) =>
    `Check ${at}.sasl (mechanism, username, password), and ${at}.ssl for a TLS listener.`,
  'broker-unreachable': (at) =>
    `Check that the brokers run, that ${at}.brokers and their advertised.listeners can be reached from here, and ${at}.ssl ` +
    `and ${at}.sasl: a listener closes a connection without the TLS or the login that it wants.`,
  'tls-failed': (at) =>
    `Check ${at}.ssl, the listener’s port, that its certificate is valid and its authority known (tls.caFile beside ` +
    `\`sinks\`, or NODE_EXTRA_CA_CERTS), that it speaks TLS 1.2 or later, and ${at}.tls where it asks for a certificate of ours.`,
  'login-insecure': (at) =>
    `Set ${at}.ssl: true and use a TLS listener, or ${at}.allowInsecureLogin: true where the network is trusted.`,
};

const TAG_CHARS = 12;
const DEFAULT_MAX_BYTES = 1_048_588;

/** A topic, of this cluster or of another one, that records are written to in transactions with their positions. */
export class KafkaSink {
  readonly batch: BatchLimits;
  readonly frame: 'keep' | 'strip';
  readonly compression: 'zstd' | 'gzip' | 'none';
  readonly client: KafkaClient;
  readonly isOwnCluster: boolean;
  readonly #options: KafkaSinkOptions;
  #prepared: Promise<unknown> | undefined;

  constructor(options: KafkaSinkOptions) {
    this.#options = options;
    this.batch = options.batch;
    this.frame = options.frame;
    this.compression = options.compression;
    this.client = options.client;
    this.isOwnCluster = options.isOwnCluster;
  }

  /** The target as it is now, once the topic of positions is there. Rejects with a KafkaError. */
  async target(): Promise<Target> {
    const { client, positions } = this.#options;
    this.#prepared ??= prepareTopics(client.admin, [positions]).catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    await this.#prepared;
    return this.#describe();
  }

  /** Where entries of a transactional id lie. */
  positionsOf(transactionalId: string) {
    return { topic: this.#options.positions.name, partition: partitionFor(transactionalId, LANES) };
  }

  async check(): Promise<void> {
    await this.#check().catch((error: unknown) => {
      throw error instanceof KafkaError ? this.told(error) : error;
    });
  }

  /** A failure at the target, which says what to do with the names that settings of a sink have. */
  told(error: KafkaError): KafkaError {
    const { isOwnCluster, name } = this.#options;
    const remedy = error.code === 'authorization-failed' ? RIGHTS : REMEDIES[error.code]?.(`sinks.${name}`);
    // The login of its own cluster is that of the section `kafka`.
    return remedy === undefined || (isOwnCluster && remedy !== RIGHTS) ? error : withRemedy(error, remedy);
  }

  async #check(): Promise<void> {
    const { client, positions, transactionalIds } = this.#options;
    const { topic, partitions } = await this.#describe();
    await checkCluster(client, [positions]);
    await checkRights(client.admin, {
      topics: [
        { spec: { name: topic, partitions, config: {} }, rights: ['write'] },
        { spec: positions, rights: ['read', 'write'] },
      ],
      transactionalIds,
      groups: [],
    });
  }

  async close(): Promise<void> {
    await this.#options.client.close();
  }

  async #describe(): Promise<Target> {
    const { client, topic, ownTopics } = this.#options;
    if (ownTopics.includes(topic)) {
      throw new KafkaError('topic-unfit', `${topic} is what this consumer reads or keeps: it cannot be a target too.`, {
        remedy: 'Name another topic, or the brokers of another cluster.',
      });
    }
    const found = await client.admin.describeTopic(topic);
    if (!found) {
      throw new KafkaError('topic-missing', `The target topic ${topic} does not exist.`, {
        remedy: 'Create it, with the number of partitions that it is to keep; this program does not.',
      });
    }
    const maxBytes = Number(found.config['max.message.bytes'] ?? DEFAULT_MAX_BYTES);
    const id = (await client.admin.topicId(topic)) ?? topic;
    const tag = createHash('sha256').update(id).digest('hex').slice(0, TAG_CHARS);
    return { topic, partitions: found.partitions, maxBytes, tag };
  }
}
