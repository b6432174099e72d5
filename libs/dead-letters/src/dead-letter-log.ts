import type { ConsumedRecord, KafkaClient, TopicPartition } from '@genesys-kafka/kafka';
import {
  deadLetterIdentity,
  MARKER_HEADER,
  parseDeadLetter,
  TopicsError,
  type DeadLetter,
} from '@genesys-kafka/topics';

export interface StoredDeadLetter {
  /** (origin, route, attempts): copies that a crash left behind have the same, and are met once. */
  readonly id: string;
  readonly deadLetter: DeadLetter;
  readonly record: ConsumedRecord;
  /** ISO 8601; absent while it was not replayed. */
  readonly replayedAt?: string;
}

export interface DeadLetterFilter {
  readonly route?: string | undefined;
  readonly stage?: string | undefined;
}

/** A partition of the dead-letter topic and the offset before which it is read. */
export interface LogPart extends TopicPartition {
  readonly end: bigint;
}

/**
 * The dead-letter topic as it stands: read twice, since a marker comes after its dead letter; in memory are
 * identities, not records. Records that are no dead letters of this program are counted.
 */
export class DeadLetterLog {
  readonly #client: Pick<KafkaClient, 'read'>;
  readonly #parts: readonly LogPart[];
  readonly #signal: AbortSignal;
  /** After a walk: records that somebody else wrote, which are left alone. */
  unreadable = 0;

  constructor(client: Pick<KafkaClient, 'read'>, parts: readonly LogPart[], signal: AbortSignal) {
    this.#client = client;
    this.#parts = parts;
    this.#signal = signal;
  }

  /** Each dead letter once, partition by partition, oldest first. */
  async *deadLetters(filter: DeadLetterFilter = {}): AsyncGenerator<StoredDeadLetter> {
    this.unreadable = 0;
    for (const part of this.#parts) {
      // Marker and copies of a dead letter lie in its own partition: they have its key.
      const replayed = await this.#markers(part);
      const seen = new Set<string>();
      for await (const record of this.#records(part)) {
        if (isOurs(record)) continue;
        const parsed = parse(record);
        if (parsed === undefined) this.unreadable += 1;
        else if (!seen.has(parsed.id)) {
          seen.add(parsed.id);
          const at = replayed.get(parsed.id);
          if (passes(parsed.deadLetter, filter))
            yield { ...parsed, record, ...(at === undefined ? {} : { replayedAt: at }) };
        }
      }
    }
  }

  async #markers(part: LogPart): Promise<Map<string, string>> {
    const markers = new Map<string, string>();
    for await (const { headers } of this.#records(part)) {
      const id = headers[MARKER_HEADER.replayed]?.toString('utf8');
      if (id !== undefined) markers.set(id, headers[MARKER_HEADER.at]?.toString('utf8') ?? '');
    }
    return markers;
  }

  async *#records({ topic, partition, end }: LogPart): AsyncGenerator<ConsumedRecord> {
    if (end === 0n) return;
    const options = { from: 'start', signal: this.#signal, maxWaitMs: 100 } as const;
    for await (const slice of this.#client.read({ topic, partition }, options)) {
      for (const record of slice.records) if (record.offset < end) yield record;
      if (slice.nextOffset >= end) return;
    }
  }
}

/** The whole topic up to where it ends now; nothing where it does not exist. */
export async function openDeadLetterLog(
  client: KafkaClient,
  topic: string,
  signal: AbortSignal,
): Promise<DeadLetterLog> {
  const exists = await client.admin.describeTopic(topic);
  const offsets = exists ? await client.admin.offsets(topic) : [];
  const parts = offsets.map(({ partition, first, end }) => ({ topic, partition, end: first < end ? end : 0n }));
  return new DeadLetterLog(client, parts, signal);
}

function isOurs({ headers }: ConsumedRecord): boolean {
  return MARKER_HEADER.replayed in headers || MARKER_HEADER.claim in headers;
}

function parse({ headers }: ConsumedRecord): { id: string; deadLetter: DeadLetter } | undefined {
  try {
    return { id: deadLetterIdentity(headers), deadLetter: parseDeadLetter(headers) };
  } catch (error) {
    if (error instanceof TopicsError) return undefined;
    throw error;
  }
}

function passes(deadLetter: DeadLetter, { route, stage }: DeadLetterFilter): boolean {
  return (route === undefined || deadLetter.route === route) && (stage === undefined || deadLetter.stage === stage);
}
