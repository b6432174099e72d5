import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { showObject } from '@genesys-kafka/object-store';
import { z } from 'zod';
import { ACTIONS, parseAction } from '../actions/letter-actions.ts';
import { markUnreadable } from '../errors.ts';
import type { LetterMarks } from '../letters/stored-dead-letter.ts';
import { inOrder } from '../letters/in-order.ts';
import type { LetterPlace } from './letter-place.ts';

/** Beside the days: nothing that holds dead letters begins so. */
const REPLAYED = '_marks/replayed/';
const PENDING = '_marks/pending/';
const AHEAD = 8;
const MOST_ACTIONS = 100;
/** Objects of marks that a replay left one by one are joined when they are so many. */
const MANY = 20;
const LINES_PER_OBJECT = 50_000;
const [zip, unzip] = [promisify(gzip), promisify(gunzip)];

/** `at` is ISO 8601. */
const MARK = z.object({ v: z.literal(1), id: z.string(), at: z.string() });
const PENDING_REPLAY = z.object({
  v: z.literal(1),
  ids: z.array(z.string()),
  at: z.string(),
  topic: z.string(),
  /** Where the partitions of the topic ended before, by partition. */
  from: z.record(z.string(), z.string().regex(/^\d{1,19}$/)),
});

type Mark = Omit<z.infer<typeof MARK>, 'v'>;

/** Dead letters that a transaction is about to replay, and from where on their topic says whether it was committed. */
export type PendingReplay = Readonly<z.infer<typeof PENDING_REPLAY>>;

/**
 * Adds what the storage says of dead letters that were replayed, and of what was done lately. Rejects with
 * `letter-mark-unreadable` where it says what nobody understands.
 */
export async function readObjectMarks(place: LetterPlace, marks: LetterMarks, signal: AbortSignal): Promise<void> {
  for (const { id, at } of (await readAll(place, signal)).marks) marks.replayed.set(id, at);
  const { store, bucket, prefix } = place;
  const listed = await store.list({ bucket, key: prefix + ACTIONS }, signal);
  const keys = listed.map(({ key }) => key).sort();
  const texts = inOrder(keys.slice(-MOST_ACTIONS), AHEAD, async (key) => store.get({ bucket, key }, signal));
  for await (const text of texts) {
    const action = parseAction(text.toString('utf8'));
    if (action) marks.actions.push(action);
  }
}

export async function writeReplayed(place: LetterPlace, marks: readonly Mark[], signal: AbortSignal): Promise<void> {
  const { store, bucket, prefix } = place;
  for (let from = 0; from < marks.length; from += LINES_PER_OBJECT) {
    const lines = marks.slice(from, from + LINES_PER_OBJECT).map(({ id, at }) => JSON.stringify({ v: 1, id, at }));
    const body = await zip(`${lines.join('\n')}\n`);
    await store.put({ bucket, key: `${prefix}${REPLAYED}${randomUUID()}.ndjson.gz` }, body, signal);
  }
}

/** Many small objects of marks as a few: written first, deleted then, so that none is missed meanwhile. */
export async function joinReplayed(place: LetterPlace, signal: AbortSignal): Promise<void> {
  const { keys, marks } = await readAll(place, signal);
  if (keys.length - Math.ceil(marks.length / LINES_PER_OBJECT) < MANY) return;
  await writeReplayed(place, marks, signal);
  const { store, bucket } = place;
  for (let from = 0; from < keys.length; from += AHEAD) {
    await Promise.all(keys.slice(from, from + AHEAD).map(async (key) => store.remove({ bucket, key }, signal)));
  }
}

/** Resolves with what the transaction is known by until `removePending`. */
export async function writePending(place: LetterPlace, pending: PendingReplay, signal: AbortSignal): Promise<string> {
  const { store, bucket, prefix } = place;
  const key = `${prefix}${PENDING}${randomUUID()}.json`;
  await store.put({ bucket, key }, Buffer.from(JSON.stringify(pending)), signal);
  return key;
}

export async function removePending({ store, bucket }: LetterPlace, key: string, signal: AbortSignal): Promise<void> {
  await store.remove({ bucket, key }, signal);
}

/** Replays of which it was not seen whether they were committed. */
export async function readPending(
  { store, bucket, prefix }: LetterPlace,
  signal: AbortSignal,
): Promise<readonly { readonly key: string; readonly pending: PendingReplay }[]> {
  const listed = await store.list({ bucket, key: prefix + PENDING }, signal);
  const read = listed.map(async ({ key }) => {
    const body = await store.get({ bucket, key }, signal);
    const parse = () => PENDING_REPLAY.parse(JSON.parse(body.toString('utf8')));
    return { key, pending: await understood({ bucket, key }, parse) };
  });
  return Promise.all(read);
}

async function readAll(
  { store, bucket, prefix }: LetterPlace,
  signal: AbortSignal,
): Promise<{ readonly keys: readonly string[]; readonly marks: readonly Mark[] }> {
  const keys = (await store.list({ bucket, key: prefix + REPLAYED }, signal)).map(({ key }) => key);
  const marks: Mark[] = [];
  const read = async (key: string) => {
    const body = await store.get({ bucket, key }, signal);
    return understood({ bucket, key }, async () =>
      (await unzip(body))
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => MARK.parse(JSON.parse(line))),
    );
  };
  for await (const found of inOrder(keys, AHEAD, read)) for (const mark of found) marks.push(mark);
  return { keys, marks };
}

async function understood<T>(address: Parameters<typeof showObject>[0], read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw markUnreadable(showObject(address), error);
  }
}
