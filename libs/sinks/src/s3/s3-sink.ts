import type { BatchLimits, DeliveryOutcome } from '@genesys-kafka/delivery';
import { OperationalError } from '@genesys-kafka/resilience';
import { SinkError } from '../errors.ts';
import { ObjectBatch, type BatchObject, type BatchPlace } from './object-batch.ts';
import { objectKey, type ObjectName } from './object-key.ts';

interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/** What the sink needs of a storage; every failure is an `OperationalError`, or the signal's reason. */
export interface ObjectWriter extends AsyncDisposable {
  put(address: ObjectAddress, body: Buffer, signal: AbortSignal): Promise<void>;
  tryPut(address: ObjectAddress, signal: AbortSignal): Promise<void>;
}

export interface S3SinkOptions extends BatchPlace {
  readonly batch: BatchLimits;
  /** Connects with the first use. */
  readonly connect: () => Promise<ObjectWriter>;
}

/** An object is not rejected for what it is. */
export type PutOutcome = Exclude<DeliveryOutcome, { readonly kind: 'rejected' }>;

/**
 * Objects of gzip NDJSON. Which records are in one, and that it is there before their offset moves, is for whoever gives
 * it batches (docs/exactly-once.md, rule 19): here they are made and put.
 */
export class S3Sink {
  readonly batch: BatchLimits;
  readonly #options: S3SinkOptions;
  #writer: Promise<ObjectWriter> | undefined;

  constructor(options: S3SinkOptions) {
    this.#options = options;
    this.batch = options.batch;
  }

  open(name: ObjectName): ObjectBatch {
    return new ObjectBatch(this.#options, name);
  }

  /** One object, again where it may have been put before. Rejects only with the signal's reason. */
  async put({ key, body }: BatchObject, signal: AbortSignal): Promise<PutOutcome> {
    try {
      const writer = await this.#connected();
      await writer.put({ bucket: this.#options.bucket, key }, body, signal);
      return { kind: 'delivered' };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      const failure = { cause: error.code, reason: error.message };
      return error.retry ? { kind: 'retry', failure } : { kind: 'misconfigured', failure };
    }
  }

  /** Tries to write at a key of today, and leaves nothing there. Rejects with a SinkError that holds what the storage says. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#check(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      const code = error.retry ? 'sink-unreachable' : 'sink-storage-refused';
      const what = error.retry
        ? 'The storage cannot be written now.'
        : 'The storage cannot be written as it is set up.';
      throw new SinkError(code, what, { remedy: `${error.code}: ${error.message}`, cause: error });
    }
  }

  async close(): Promise<void> {
    const writer = await this.#writer?.catch(() => undefined);
    await writer?.[Symbol.asyncDispose]();
  }

  #connected(): Promise<ObjectWriter> {
    return (this.#writer ??= this.#options.connect());
  }

  async #check(signal: AbortSignal): Promise<void> {
    const today = new Date().toISOString().slice(0, 10);
    const name = { topic: 'check', partition: 0, first: 0n, tag: 'check' };
    const writer = await this.#connected();
    await writer.tryPut({ bucket: this.#options.bucket, key: objectKey(this.#options.prefix, today, name) }, signal);
  }
}
