import { createHash } from 'node:crypto';
import { GzipLines } from './gzip-lines.ts';
import { objectKey, type ObjectName } from './object-key.ts';

/** An object that is ready to be put. */
export interface BatchObject {
  readonly key: string;
  readonly body: Buffer;
}

export interface ClosedBatch {
  /** One for each day. */
  readonly objects: readonly BatchObject[];
  /**
   * Of the objects' places and of what they unpack to: where a batch that is made again has another one, something else
   * decides by now what is in it, or where it goes.
   */
  readonly digest: string;
}

export interface BatchPlace {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** 96 bits: a change is told from no change, nothing more. */
const DIGEST_CHARS = 24;

/** The objects of one batch of one partition while it gathers: a record belongs to the day of its publishing, in UTC. */
export class ObjectBatch {
  readonly #place: BatchPlace;
  readonly #name: ObjectName;
  readonly #days = new Map<string, GzipLines>();

  constructor(place: BatchPlace, name: ObjectName) {
    this.#place = place;
    this.#name = name;
  }

  /** A promise where it is to be waited for before the next record. */
  add(body: Buffer, publishedMs: number): Promise<void> | undefined {
    const day = new Date(publishedMs).toISOString().slice(0, 10);
    let lines = this.#days.get(day);
    if (!lines) this.#days.set(day, (lines = new GzipLines()));
    return lines.add(body);
  }

  async close(): Promise<ClosedBatch> {
    const { endpoint, bucket, prefix } = this.#place;
    const hash = createHash('sha256').update(JSON.stringify([endpoint, bucket]));
    const objects: BatchObject[] = [];
    for (const [day, lines] of [...this.#days].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const key = objectKey(prefix, day, this.#name);
      const { body, digest } = await lines.end();
      objects.push({ key, body });
      hash.update(JSON.stringify(key)).update(digest);
    }
    return { objects, digest: hash.digest('hex').slice(0, DIGEST_CHARS) };
  }

  abandon(): void {
    for (const lines of this.#days.values()) lines.abandon();
  }
}
