import type { ConsumedRecord, KafkaClient, ReadOptions, RecordView, TopicPartition } from '@genesys-kafka/kafka';
import {
  deadLetterIdentity,
  MARKER_HEADER,
  parseDeadLetter,
  partitionFor,
  TopicsError,
  type DeadLetter,
} from '@genesys-kafka/topics';
import { parseAction } from '../actions/letter-actions.ts';
import { markReplayed, type LetterFilter, type LetterMarks, type LetterStore } from './stored-dead-letter.ts';

/** A partition of the dead-letter topic and the offset before which it is read. */
export interface LogPart extends TopicPartition {
  readonly end: bigint;
}

type Reader = Pick<KafkaClient, 'read'>;

/** The dead-letter topic as it stands. Records that are no dead letters of this program are counted. */
export class TopicLetters implements LetterStore {
  readonly #client: Reader;
  readonly #parts: readonly LogPart[];
  readonly #signal: AbortSignal;
  unreadable = 0;

  constructor(client: Reader, parts: readonly LogPart[], signal: AbortSignal) {
    this.#client = client;
    this.#parts = parts;
    this.#signal = signal;
  }

  async readMarks(marks: LetterMarks, filter: LetterFilter): Promise<void> {
    await Promise.all(this.#meant(filter).map(async (part) => this.#readMarksOf(part, marks)));
  }

  /** Partition by partition, oldest first. */
  async *scan(filter: LetterFilter): ReturnType<LetterStore['scan']> {
    this.unreadable = 0;
    for (const part of this.#meant(filter)) {
      for await (const record of this.#records(part)) {
        if (isOurs(record)) continue;
        const parsed = parse(record);
        if (parsed === undefined) this.unreadable += 1;
        else yield found(record, parsed);
      }
    }
  }

  async #readMarksOf(part: LogPart, marks: LetterMarks): Promise<void> {
    const { purged, actions } = marks;
    for await (const record of this.#records(part, isWithoutValue)) {
      if (record.value !== null) continue;
      const { headers } = record;
      const id = headers[MARKER_HEADER.replayed]?.toString('utf8');
      if (id !== undefined) markReplayed(marks, id, headers[MARKER_HEADER.at]?.toString('utf8') ?? '');
      const gone = headers[MARKER_HEADER.purged]?.toString('utf8');
      if (gone !== undefined) purged.set(gone, { partition: part.partition, offset: record.offset });
      const action = parseAction(headers[MARKER_HEADER.action]?.toString('utf8') ?? '');
      if (action) actions.push(action);
    }
  }

  /** With a key, only the partition that its dead letters and their markers lie in. */
  #meant({ key }: LetterFilter): readonly LogPart[] {
    if (key === undefined) return this.#parts;
    const own = partitionFor(key, this.#parts.length);
    return this.#parts.filter(({ partition }) => partition === own);
  }

  async *#records({ topic, partition, end }: LogPart, wants?: ReadOptions['wants']): AsyncGenerator<ConsumedRecord> {
    if (end === 0n) return;
    const some = wants && { wants };
    const options = { from: 'start', signal: this.#signal, maxWaitMs: 100, ...some } as const;
    for await (const slice of this.#client.read({ topic, partition }, options)) {
      for (const record of slice.records) if (record.offset < end) yield record;
      if (slice.nextOffset >= end) return;
    }
  }
}

/** The whole topic up to where it ends now; nothing where it does not exist. */
export async function openTopicLetters(client: KafkaClient, topic: string, signal: AbortSignal): Promise<TopicLetters> {
  const exists = await client.admin.describeTopic(topic);
  const offsets = exists ? await client.admin.offsets(topic) : [];
  const parts = offsets
    .map(({ partition, first, end }) => ({ topic, partition, end: first < end ? end : 0n }))
    .sort((a, b) => a.partition - b.partition);
  return new TopicLetters(client, parts, signal);
}

function found(record: ConsumedRecord, { id, deadLetter }: Parsed) {
  const { key, value, partition, offset } = record;
  // Its headers are made anew each time they are asked for: most letters go by without.
  return { id, deadLetter, key, place: { partition, offset }, value: () => value, headers: () => record.headers };
}

const OURS: readonly string[] = [
  MARKER_HEADER.replayed,
  MARKER_HEADER.purged,
  MARKER_HEADER.claim,
  MARKER_HEADER.action,
];

/** Marks are, and few dead letters. */
function isWithoutValue({ valueFrom, valueTo }: RecordView): boolean {
  return valueTo < valueFrom;
}

function isOurs({ value, headers }: ConsumedRecord): boolean {
  return value === null && OURS.some((name) => name in headers);
}

interface Parsed {
  readonly id: string;
  readonly deadLetter: DeadLetter;
}

function parse({ headers }: ConsumedRecord): Parsed | undefined {
  try {
    const deadLetter = parseDeadLetter(headers);
    return { id: deadLetterIdentity(deadLetter), deadLetter };
  } catch (error) {
    if (error instanceof TopicsError) return undefined;
    throw error;
  }
}
