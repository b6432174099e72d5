import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { KafkaClient, OutgoingRecord } from '@genesys-kafka/kafka';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { MARKER_HEADER } from '@genesys-kafka/topics';
import type { Letters } from '../letters/letters.ts';
import type { ObjectLetters } from '../letters/object-letters.ts';
import type { LetterFilter } from '../letters/stored-dead-letter.ts';
import { decodeLetter } from '../objects/letter-line.ts';
import type { LetterPlace } from '../objects/letter-place.ts';

export interface PurgeOptions {
  readonly client: Pick<KafkaClient, 'producer'>;
  readonly letters: Letters;
  readonly topic: string;
  readonly objects: (LetterPlace & { readonly letters: ObjectLetters }) | undefined;
  readonly filter: LetterFilter;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export interface PurgeReport {
  /** Dead letters that no command shows any more; with a dry run, that would be. */
  readonly purged: number;
  /** Of these, in the topic: their bytes stay there until its retention. */
  readonly marked: number;
  /** Lines that were deleted from object storage, with their bytes. */
  readonly deleted: number;
  readonly unreadable: number;
  readonly dryRun: boolean;
}

const MARKERS_PER_SEND = 500;
const zip = promisify(gzip);

/**
 * Takes dead letters away. A topic gives back no single record, so a marker there says that they are gone for whoever
 * looks; object storage deletes them. Markers come first: what is interrupted shows nothing again, and the same command
 * goes on.
 */
export async function purgeDeadLetters(options: PurgeOptions): Promise<PurgeReport> {
  const { letters, objects, filter, dryRun, clock = systemClock } = options;
  const ids = new Set<string>();
  const markers = new Map<number, OutgoingRecord[]>();
  const at = new Date(clock.nowMs()).toISOString();
  let marked = 0;
  for await (const { id, place } of letters.walk(filter)) {
    ids.add(id);
    if (!('partition' in place)) continue;
    marked += 1;
    const waiting = markers.get(place.partition) ?? [];
    markers.set(place.partition, waiting);
    // Without the key: many long ones would not fit into one send.
    waiting.push({ key: null, value: null, headers: { [MARKER_HEADER.purged]: id, [MARKER_HEADER.at]: at } });
  }
  const { unreadable } = letters;
  if (!dryRun) await sendMarkers(options, markers);
  const deleted = objects ? await deleteLines(options, objects, ids) : 0;
  return { purged: ids.size, marked, deleted, unreadable, dryRun };
}

async function sendMarkers({ client, topic, signal }: PurgeOptions, markers: ReadonlyMap<number, OutgoingRecord[]>) {
  if (markers.size === 0) return;
  const producer = client.producer();
  try {
    for (const [partition, records] of markers) {
      for (let from = 0; from < records.length; from += MARKERS_PER_SEND) {
        signal.throwIfAborted();
        await producer.send({ topic, partition }, records.slice(from, from + MARKERS_PER_SEND));
      }
    }
  } finally {
    await producer.close();
  }
}

/** Resolves with how many lines there were. An object of which some stay is written anew before it is deleted. */
async function deleteLines(
  { filter, dryRun, signal }: PurgeOptions,
  { store, bucket, letters }: LetterPlace & { readonly letters: ObjectLetters },
  ids: ReadonlySet<string>,
): Promise<number> {
  let deleted = 0;
  for await (const { key, lines } of letters.objects(filter)) {
    const kept = lines.filter((line) => !ids.has(decodeLetter(line)?.id ?? ''));
    if (kept.length === lines.length) continue;
    deleted += lines.length - kept.length;
    if (dryRun) continue;
    if (kept.length > 0) {
      const body = await zip(Buffer.concat(kept.flatMap((line) => [line, LINE_BREAK])));
      await store.put({ bucket, key: renamed(key, kept) }, body, signal);
    }
    await store.remove({ bucket, key }, signal);
  }
  return deleted;
}

const LINE_BREAK = Buffer.from('\n');

/** In the same folder, by what is left. */
function renamed(key: string, lines: readonly Buffer[]): string {
  const sum = createHash('sha256');
  for (const line of lines) sum.update(line);
  return key.replace(/[^/]+$/, `${sum.digest('hex').slice(0, 40)}.ndjson.gz`);
}
