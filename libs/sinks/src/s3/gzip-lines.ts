import { createHash } from 'node:crypto';
import { createGzip, constants } from 'node:zlib';
import { giveBack } from '@genesys-kafka/resilience/memory';
import { ndjsonLines } from '../ndjson-lines.ts';

/** So much is compressed at a time, on another thread. Where it is cut depends on the records alone. */
const CHUNK_BYTES = 256 * 1024;
/** The fastest: at the default one, compression takes twice as long for a twentieth less. */
const LEVEL = constants.Z_BEST_SPEED;
/** What a chunk comes to, or little less: each piece of output is a turn of the event loop. */
const PIECE_BYTES = 64 * 1024;

/**
 * Lines of one object, compressed as they come: what is in memory is the compressed part and one chunk. The same records
 * make the same bytes with the same zlib: no moment and no name stand in the gzip header.
 */
export class GzipLines {
  readonly #gzip = createGzip({ level: LEVEL, chunkSize: PIECE_BYTES });
  readonly #hash = createHash('sha256');
  readonly #compressed: Buffer[] = [];
  #chunk: Buffer[] = [];
  #chunkBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor() {
    this.#gzip.on('data', (part: Buffer) => this.#compressed.push(part));
  }

  /** A promise where compression has to catch up before the next record. */
  add(body: Buffer): Promise<void> | undefined {
    this.#chunk.push(body);
    this.#chunkBytes += body.length + 1;
    return this.#chunkBytes < CHUNK_BYTES ? undefined : this.#flush();
  }

  /** The object, and the SHA-256 of what it unpacks to. */
  async end(): Promise<{ readonly body: Buffer; readonly digest: Buffer }> {
    await this.#flush();
    await this.#writing;
    const ended = Promise.withResolvers<undefined>();
    this.#gzip.once('end', () => ended.resolve(undefined));
    this.#gzip.once('error', (error) => ended.reject(error));
    this.#gzip.end();
    await ended.promise;
    return { body: Buffer.concat(this.#compressed), digest: this.#hash.digest() };
  }

  /** Lets go of what is held. */
  abandon(): void {
    this.#gzip.destroy();
  }

  /** Resolves when the chunk before is compressed: one is under way while the next gathers. */
  async #flush(): Promise<void> {
    const lines = ndjsonLines(this.#chunk);
    [this.#chunk, this.#chunkBytes] = [[], 0];
    this.#hash.update(lines);
    const before = this.#writing;
    this.#writing = new Promise((resolve, reject) =>
      this.#gzip.write(lines, (error) => {
        if (error) {
          reject(error);
        } else {
          giveBack(lines);
          resolve();
        }
      }),
    );
    this.#writing.catch(() => undefined);
    await before;
  }
}
