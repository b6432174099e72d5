import { randomUUID } from 'node:crypto';
import type { Proxy } from '@genesys-kafka/http';
import { showObject } from '@genesys-kafka/object-store';
import { isRetryable } from '@genesys-kafka/resilience';
import type { DeadLettersSettings } from '../settings.ts';
import { letterNotKept } from '../errors.ts';
import { LetterObjects } from './letter-objects.ts';
import { connectLetterPlace, type LetterPlace } from './letter-place.ts';

/** What a program that writes dead letters reads of its settings. */
export interface KeeperSettings {
  readonly deadLetters: DeadLettersSettings;
  readonly proxy: Proxy;
}

/** A place below the prefix where nothing lies: what is asked of it tells of bucket, login and right. */
const NOTHING = '_check/';

/**
 * What writes dead letters to object storage; undefined where they go to the topic alone. Asks the storage, so that a
 * bucket or a right that is missing ends the start; one that is away is waited for with the first dead letter.
 */
export async function openLetterObjects(
  { deadLetters, proxy }: KeeperSettings,
  closing: AsyncDisposableStack,
  onFailure: (error: unknown, waitMs: number) => void,
  signal: AbortSignal,
): Promise<LetterObjects | undefined> {
  if (!deadLetters.objects) return undefined;
  const place = closing.use(await connectLetterPlace(deadLetters.objects, proxy));
  const { store, bucket, prefix } = place;
  await store.list({ bucket, key: prefix + NOTHING }, signal).catch((error: unknown) => {
    if (!isRetryable(error)) throw error;
    onFailure(error, 0);
  });
  return new LetterObjects({ place, onFailure });
}

/** Writes an object, reads it and deletes it again; resolves with what was found, as `check` tells it. */
export async function checkLetterPlace({ store, bucket, prefix }: LetterPlace, signal: AbortSignal): Promise<string> {
  const address = { bucket, key: `${prefix}${NOTHING}${randomUUID()}` };
  const body = Buffer.from('written by `check`, and deleted at once\n');
  await store.list({ bucket, key: prefix + NOTHING }, signal);
  await store.put(address, body, signal);
  const found = await store.get(address, signal);
  if (!found?.equals(body)) throw letterNotKept(showObject(address));
  await store.remove(address, signal);
  return `${showObject({ bucket, key: prefix })}: an object was written, read and deleted again`;
}
