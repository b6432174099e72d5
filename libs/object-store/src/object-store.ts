import type { ObjectAddress } from './object-address.ts';
import type { ListedObject } from './select-objects.ts';

/** A storage that speaks S3. Calls reject with ObjectStoreError, after retries, or with the signal's reason. */
export interface ObjectStore extends AsyncDisposable {
  /** Every object whose key begins with this one, over all pages. */
  list(address: ObjectAddress, signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** A link to the object that whoever has it may download by, for an hour. Asks nobody. */
  signedLink(address: ObjectAddress): Promise<string>;
  /** Asks for the object's first byte, to learn why it cannot be downloaded; resolves where it can. */
  probe(address: ObjectAddress, signal: AbortSignal): Promise<void>;
  /** Writes an object whole; one of that key is replaced. After a rejection it may have been written or not, never in part. */
  put(address: ObjectAddress, body: Buffer, signal: AbortSignal): Promise<void>;
  /** Rejects as `put` would, for the bucket and for the right to write at this key. Leaves no object behind. */
  tryPut(address: ObjectAddress, signal: AbortSignal): Promise<void>;
  /** The object's bytes, all in memory: for objects that this program wrote. Rejects with `s3-object-missing`. */
  get(address: ObjectAddress, signal: AbortSignal): Promise<Buffer>;
  /** Deletes the object; resolves too where there is none. */
  remove(address: ObjectAddress, signal: AbortSignal): Promise<void>;
  /** Tries endpoint and credentials; resolves with what was found. */
  check(signal: AbortSignal): Promise<string>;
}
