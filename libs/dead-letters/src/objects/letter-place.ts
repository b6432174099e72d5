import type { Proxy } from '@genesys-kafka/http';
import { connectObjectStore, ObjectStoreError, type ObjectStore } from '@genesys-kafka/object-store';
import { LETTER_OBJECTS, letterStoreFailure } from '../errors.ts';
import type { LetterObjectsSettings } from '../settings.ts';

/** Where in a storage dead letters lie. */
export interface LetterPlace {
  readonly store: LetterStorage;
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
}

/** Of a storage, what dead letters need. */
export interface LetterStorage extends Pick<ObjectStore, 'put' | 'list' | 'remove'> {
  /** Undefined where there is none: other commands and lifecycle rules delete objects, too. */
  readonly get: (...call: Parameters<ObjectStore['get']>) => Promise<Buffer | undefined>;
}

/**
 * The place that the settings name; asks nobody. Its calls reject with the DeadLetterErrors `letter-store-away`, which
 * passes, and `letter-store-refuses`, which does not.
 */
export async function connectLetterPlace(
  { bucket, prefix, ...settings }: LetterObjectsSettings,
  proxy: Proxy | undefined,
): Promise<LetterPlace & AsyncDisposable> {
  const store = await connectObjectStore(settings, proxy, LETTER_OBJECTS);
  return {
    bucket,
    prefix,
    store: {
      put: async (...call) => told(store.put(...call)),
      get: async (...call) => told(store.get(...call).catch(noneIfMissing)),
      list: async (...call) => told(store.list(...call)),
      remove: async (...call) => told(store.remove(...call)),
    },
    [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose](),
  };
}

function noneIfMissing(error: unknown): undefined {
  if (!(error instanceof ObjectStoreError && error.code === 's3-object-missing')) throw error;
}

/** What the storage says, as the settings of dead letters have it. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ObjectStoreError ? letterStoreFailure(error) : error;
  }
}
