const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Partitions of data topics when nothing else is said. */
export const DATA_PARTITIONS = 6;

/** The ledger, the digests and the positions of sinks have one partition per lane; the number of lanes is part of the format. */
export const LANES = 12;

/** What this client can decompress when a topic's `compression.type` makes the broker recompress. */
const READABLE_COMPRESSION: readonly string[] = ['uncompressed', 'gzip', 'zstd'];

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** Topic configuration at creation, e.g. `{'cleanup.policy': 'compact'}`. */
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  /** Of the partition that has the fewest. */
  readonly replicas?: number;
  readonly config: Readonly<Record<string, string>>;
}

/** A topic and the partitions that it really has. */
export interface TopicSize {
  readonly topic: string;
  readonly partitions: number;
}

export interface TopicOptions {
  /** In front of every name, for example `genesys.`. */
  readonly prefix: string;
  /** Partitions of the data, retry and dead-letter topics; default as `kafka.partitions`. */
  readonly dataPartitions?: number;
  /** Number of retry topics; default 3. */
  readonly retryTiers?: number;
}

export interface TopicSpecs {
  readonly data: TopicSpec;
  /** `retry-1` first. */
  readonly retries: readonly TopicSpec[];
  /** Replayed dead letters: on a retry topic, the retries of now would stand behind thousands of them. */
  readonly replays: TopicSpec;
  readonly deadLetters: TopicSpec;
  readonly ledger: TopicSpec;
  /** What was published last of each conversation of a day. */
  readonly digests: TopicSpec;
  /** What is written of each input partition of a sink of type `kafka`; lies at the target's cluster. */
  readonly positions: TopicSpec;
  /** What operators have asked of the consumer's routes, and where new routes began. */
  readonly controls: TopicSpec;
}

/** Retention deletes by the broker's own clock: a slow one of ours must not have it delete what was just written. */
const BY_BROKERS_CLOCK = { 'message.timestamp.type': 'LogAppendTime' };

/** Names and creation settings of every topic. */
export function topicSpecs(options: TopicOptions): TopicSpecs {
  const { prefix, dataPartitions = DATA_PARTITIONS, retryTiers = 3 } = options;
  const data = `${prefix}conversation-details`;
  const queue = (name: string, maxBytes: number, retentionMs?: number): TopicSpec => ({
    name,
    partitions: dataPartitions,
    config: {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'max.message.bytes': String(maxBytes),
      ...BY_BROKERS_CLOCK,
      ...(retentionMs === undefined ? {} : { 'retention.ms': String(retentionMs) }),
    },
  });
  return {
    data: queue(data, 4 * MIB),
    retries: Array.from({ length: retryTiers }, (_, tier) => queue(`${data}.retry-${tier + 1}`, 16 * MIB, 7 * DAY_MS)),
    replays: queue(`${data}.replay`, 16 * MIB, 7 * DAY_MS),
    deadLetters: queue(`${data}.dlt`, 16 * MIB, 30 * DAY_MS),
    ledger: memory(`${prefix}export-ledger`),
    digests: memory(`${prefix}record-digests`),
    positions: memory(`${prefix}sink-positions`),
    controls: memory(`${prefix}route-controls`, 1),
  };
}

/** A compacted topic that is read from its start: small segments, an eager cleaner. */
function memory(name: string, partitions = LANES): TopicSpec {
  return {
    name,
    partitions,
    config: {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': String(16 * MIB),
      'segment.ms': String(HOUR_MS),
      'min.cleanable.dirty.ratio': '0.1',
      'max.compaction.lag.ms': String(DAY_MS),
      ...BY_BROKERS_CLOCK,
    },
  };
}

/**
 * What is wrong with a topic that exists already, as sentences that say what to change; empty when it will do.
 * Larger limits, longer retention and other partition counts of data topics are the owner's choice.
 */
export function checkTopic(spec: TopicSpec, topic: TopicDescription): string[] {
  const problems: string[] = [];
  const wanted = spec.config['cleanup.policy'];
  const policy = topic.config['cleanup.policy'];
  if (policy !== undefined && policy !== wanted) {
    problems.push(
      wanted === 'compact'
        ? `${topic.name}: cleanup.policy is ${policy}, needed is compact alone: deletion loses progress. Set it to compact.`
        : `${topic.name}: cleanup.policy is ${policy}, needed is delete: compaction drops records. Set it to delete.`,
    );
  }
  if (wanted === 'compact' && topic.partitions !== spec.partitions) {
    problems.push(
      `${topic.name}: has ${topic.partitions} partitions, needed are exactly ${spec.partitions}. ` +
        'Delete the topic if it holds nothing of value, or use another topic prefix.',
    );
  }
  const leastInSync = Number(topic.config['min.insync.replicas'] ?? 1);
  if (leastInSync > (topic.replicas ?? Infinity)) {
    problems.push(
      `${topic.name}: min.insync.replicas is ${leastInSync} and it has ${topic.replicas}, so no write is ever taken. ` +
        'Lower it, or add replicas.',
    );
  }
  problems.push(...sizeProblems(spec, topic));
  problems.push(...compressionProblems(spec, topic));
  return problems;
}

/** By what, among so many brokers, a topic that will do may still lose what it has taken, as sentences. */
export function topicRisks({ name, replicas, config }: TopicDescription, brokers: number): string[] {
  const risks: string[] = [];
  if (replicas === 1 && brokers > 1) {
    risks.push(`${name} has one replica: what its broker's disk loses is lost. Give it 3.`);
  } else if (replicas !== undefined && replicas > 1 && Number(config['min.insync.replicas'] ?? 1) < 2) {
    risks.push(
      `${name} has min.insync.replicas 1: what a single broker has counts as written, and is lost with it. Set it to 2.`,
    );
  }
  if (config['unclean.leader.election.enable'] === 'true') {
    risks.push(`${name} allows unclean leader elections, which drop what was written. Forbid them.`);
  }
  return risks;
}

function compressionProblems(spec: TopicSpec, topic: TopicDescription): string[] {
  const compression = topic.config['compression.type'] ?? 'producer';
  if (compression === 'producer') return [];
  // What is compacted is small in each batch; only a reader's codecs matter there.
  if (spec.config['cleanup.policy'] === 'compact' && READABLE_COMPRESSION.includes(compression)) return [];
  const why = READABLE_COMPRESSION.includes(compression)
    ? 'so the broker stores other bytes than it is sent, and may refuse records that were measured to fit'
    : 'which this client cannot read';
  return [`${topic.name}: compression.type is ${compression}, ${why}. Set it to producer.`];
}

function sizeProblems(spec: TopicSpec, topic: TopicDescription): string[] {
  const problems: string[] = [];
  for (const name of ['max.message.bytes', 'retention.ms'] as const) {
    const least = Number(spec.config[name]);
    const actual = Number(topic.config[name]);
    const unlimited = name === 'retention.ms' && actual === -1;
    if (Number.isFinite(least) && Number.isFinite(actual) && actual < least && !unlimited) {
      problems.push(`${topic.name}: ${name} is ${actual}, needed is at least ${least}. Raise it.`);
    }
  }
  return problems;
}
