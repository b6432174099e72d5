import {
  connectObjectStore,
  ObjectStoreError,
  parseObjectAddress,
  selectObjects,
  showObject,
  type ObjectAddress,
  type ObjectStore,
} from '@genesys-kafka/object-store';
import type { Settings } from '../settings.ts';
import type { ArchiveFetcher, OpenArchive } from './archive-fetcher.ts';

/** One object of a storage, under the name that it has in the report. */
export interface ObjectSource {
  readonly name: string;
  readonly open: (signal: AbortSignal) => Promise<OpenArchive>;
}

/** Objects of a storage that speaks S3, as archives. Connects with the first of them: the AWS SDK is slow to load. */
export class ObjectSources implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #fetcher: ArchiveFetcher;
  #store: Promise<ObjectStore> | undefined;

  constructor(settings: Settings, fetcher: ArchiveFetcher) {
    this.#settings = settings;
    this.#fetcher = fetcher;
  }

  /**
   * The objects that an argument stands for, and those that are passed over. Rejects with ObjectStoreError:
   * `s3-object-missing` where there is none.
   */
  async find(
    argument: string,
    signal: AbortSignal,
  ): Promise<{ readonly objects: readonly ObjectSource[]; readonly passedOver: readonly string[] }> {
    const address = parseObjectAddress(argument);
    const store = await this.#connected();
    const { bucket } = address;
    const { keys, passedOver } = selectObjects(address.key, await store.list(address, signal));
    if (keys.length === 0) {
      throw new ObjectStoreError('s3-object-missing', `There is no object ${showObject(address)}, and none under it.`);
    }
    const named = (key: string) => showObject({ bucket, key });
    return {
      objects: keys.map((key) => ({
        name: named(key),
        open: async (stop) => this.#open(store, { bucket, key }, stop),
      })),
      passedOver: passedOver.map(named),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#store)?.[Symbol.asyncDispose]();
  }

  async #connected(): Promise<ObjectStore> {
    this.#store ??= connectObjectStore(this.#settings.s3, this.#settings.proxy);
    return this.#store;
  }

  async #open(store: ObjectStore, address: ObjectAddress, signal: AbortSignal): Promise<OpenArchive> {
    let first: string | undefined = await store.signedLink(address);
    const { host } = new URL(first);
    const link = async () => {
      if (first !== undefined) {
        const link = first;
        first = undefined;
        return link;
      }
      // A link that is refused says little: the storage is asked why, and only then is another one signed.
      await store.probe(address, signal);
      return store.signedLink(address);
    };
    return this.#fetcher.object(link, host, signal);
  }
}
