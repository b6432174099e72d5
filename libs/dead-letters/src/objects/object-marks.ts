import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { showObject, type ListedObject } from '@genesys-kafka/object-store';
import { z } from 'zod';
import { ACTIONS, parseAction } from '../actions/letter-actions.ts';
import { markUnreadable } from '../errors.ts';
import { markReplayed, type LetterMarks } from '../letters/stored-dead-letter.ts';
import { inOrder } from '../letters/in-order.ts';
import type { LetterPlace } from './letter-place.ts';
import { readListed } from './read-listed.ts';

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
  /** The transactional id. Earlier versions left it out. */
  by: z.string().optional(),
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
  for (const [id, at] of (await readAll(place, signal)).marks) markReplayed(marks, id, at);
  const { store, bucket } = place;
  const keys = (await listed(place, ACTIONS, signal)).map(({ key }) => key).sort();
  const texts = inOrder(keys.slice(-MOST_ACTIONS), AHEAD, async (key) => store.get({ bucket, key }, signal));
  for await (const text of texts) {
    const action = text && parseAction(text.toString('utf8'));
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
  if (keys.length - Math.ceil(marks.size / LINES_PER_OBJECT) < MANY) return;
  const each = [...marks].map(([id, at]) => ({ id, at }));
  await writeReplayed(place, each, signal);
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
  place: LetterPlace,
  signal: AbortSignal,
): Promise<readonly { readonly key: string; readonly pending: PendingReplay }[]> {
  const { store, bucket } = place;
  const read = (await listed(place, PENDING, signal)).map(async ({ key }) => {
    const body = await store.get({ bucket, key }, signal);
    // Settled meanwhile, by whoever began it: its marks were written before.
    if (!body) return [];
    const parse = () => PENDING_REPLAY.parse(JSON.parse(body.toString('utf8')));
    return [{ key, pending: await understood({ bucket, key }, parse) }];
  });
  return (await Promise.all(read)).flat();
}

/** Marks by identity: when it was replayed last. */
async function readAll(
  place: LetterPlace,
  signal: AbortSignal,
): Promise<{ readonly keys: readonly string[]; readonly marks: ReadonlyMap<string, string> }> {
  const { store, bucket } = place;
  const keys: string[] = [];
  const marks = new Map<string, string>();
  const read = async ({ key }: ListedObject) => {
    const body = await store.get({ bucket, key }, signal);
    return body && understood({ bucket, key }, async () => marksIn(body));
  };
  for await (const { key, found } of readListed(() => listed(place, REPLAYED, signal), AHEAD, read)) {
    if (!found) throw markUnreadable(showObject({ bucket, key }));
    keys.push(key);
    for (const { id, at } of found) markReplayed({ replayed: marks }, id, at);
  }
  return { keys, marks };
}

async function marksIn(body: Buffer): Promise<Mark[]> {
  const lines = (await unzip(body)).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => MARK.parse(JSON.parse(line)));
}

/** Without the objects that some programs make for folders. */
async function listed(
  { store, bucket, prefix }: LetterPlace,
  folder: string,
  signal: AbortSignal,
): Promise<readonly ListedObject[]> {
  const all = await store.list({ bucket, key: prefix + folder }, signal);
  return all.filter(({ key }) => !key.endsWith('/'));
}

async function understood<T>(address: Parameters<typeof showObject>[0], read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw markUnreadable(showObject(address), error);
  }
}
