import { createHash } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { readToEnd } from './topic-reader.ts';
import { judge } from './verdict.ts';
import type { Evidence, FoundRecord, TrueVersion, Verdict } from './verdict.ts';

/** Confluent's wire format: a magic byte and the schema's id stand before the record. */
const FRAME_BYTES = 5;

/** Reads the topic to its end and holds it against the truth of an interval of whole days. */
export async function prove(
  kafka: Kafka,
  topic: string,
  truth: AsyncIterable<TrueVersion>,
  about: Pick<Evidence, 'matching' | 'fromMs' | 'toMs'>,
  signal: AbortSignal,
): Promise<Verdict> {
  const records: FoundRecord[] = [];
  await readToEnd(kafka, topic, (message, partition) => records.push(foundRecord(message, partition)), signal);
  return judge({ records, truth: await Array.fromAsync(truth), ...about });
}

function foundRecord({ key, value, headers, offset }: KafkaMessage, partition: number): FoundRecord {
  const header = (name: string) => String(headers?.[name]);
  return {
    partition,
    offset: Number(offset),
    conversationId: String(key),
    digest: createHash('sha256').update(value!.subarray(FRAME_BYTES)).digest('hex'),
    source: header('source-id'),
    ordinal: Number(header('ordinal')),
    day: header('window').slice(0, 10),
    availableMs: headers?.['data-availability-date'] ? Date.parse(header('data-availability-date')) : 0,
    isChange: header('change') === 'changed',
    submittedMs: Date.parse(header('job-submitted-at')),
  };
}
