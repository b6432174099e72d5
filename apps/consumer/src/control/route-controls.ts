import {
  KafkaError,
  prepareTopics,
  readToEnd,
  type ConsumedRecord,
  type KafkaClient,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { backoffMs, isRetryable, type Clock } from '@genesys-kafka/resilience';
import { printableText, type TopicSpec } from '@genesys-kafka/topics';
import { ConsumerError } from '../errors.ts';
import { formatControl, parseControl, type ControlEntry, type PauseEntry, type StartEntry } from './control-entry.ts';

export interface RouteControlsOptions {
  readonly client: Pick<KafkaClient, 'read' | 'producer'> & {
    readonly admin: Pick<KafkaClient['admin'], 'createMissing' | 'describeTopic'>;
  };
  readonly topic: TopicSpec;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told when the topic cannot be read for now; what is known stays in force. */
  readonly onTrouble: (error: unknown) => void;
}

const BACKOFF = { initialMs: 500, factor: 2, maxMs: 15_000, jitterMs: 500 };
/** An idle fetch is answered as soon as something comes. */
const MAX_WAIT_MS = 2000;

/**
 * What the compacted topic `route-controls` says of routes: read to its end once, before any route begins (a route that
 * is paused must not deliver a single record after a restart), then followed.
 */
export class RouteControls {
  readonly #options: RouteControlsOptions;
  readonly #target: TopicPartition;
  readonly #pauses = new Map<string, PauseEntry>();
  readonly #starts = new Map<string, StartEntry>();
  /** Keys of which the last word is not understood, and where it stands. */
  readonly #unreadable = new Map<string, bigint>();
  readonly #listeners: ((groupId: string) => void)[] = [];
  #next: 'start' | bigint = 'start';

  private constructor(options: RouteControlsOptions) {
    this.#options = options;
    this.#target = { topic: options.topic.name, partition: 0 };
  }

  /** Makes the topic where it is missing. Rejects with a `KafkaError`, or with `control-unreadable`. */
  static async open(options: RouteControlsOptions): Promise<RouteControls> {
    await prepareTopics(options.client.admin, [options.topic]);
    const controls = new RouteControls(options);
    await controls.catchUp();
    return controls;
  }

  /** Undefined for a route that is not paused. */
  pauseOf(groupId: string): PauseEntry | undefined {
    const pause = this.#pauses.get(groupId);
    return pause?.state === 'paused' ? pause : undefined;
  }

  /** Where the route began, if it ever did so elsewhere than at the start of the topic. */
  startOf(groupId: string): StartEntry | undefined {
    return this.#starts.get(groupId);
  }

  /** `listener` is told whose pause has changed. */
  onPause(listener: (groupId: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads to where the topic ends now. */
  async catchUp(): Promise<void> {
    const { client, signal, clock } = this.#options;
    for await (const { records, nextOffset } of readToEnd(client, this.#target, { signal, clock })) {
      this.#take(records);
      this.#next = nextOffset;
    }
    this.#assertReadable();
  }

  /** Goes on reading until `signal` aborts; rejects with its reason, or with what no waiting mends. */
  async follow(signal: AbortSignal): Promise<void> {
    const { client, clock, onTrouble } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        for await (const slice of client.read(this.#target, { from: this.#next, signal, maxWaitMs: MAX_WAIT_MS })) {
          this.#take(slice.records);
          this.#assertReadable();
          this.#next = slice.nextOffset;
          attempt = 0;
        }
      } catch (error) {
        signal.throwIfAborted();
        // The topic was made anew: what is known stays in force until it says something else.
        if (error instanceof KafkaError && error.code === 'offset-out-of-range') this.#next = 'start';
        else if (!isRetryable(error)) throw error;
        onTrouble(error);
      }
      await clock.sleep(backoffMs(BACKOFF, attempt), signal);
    }
  }

  /** Resolves once all in-sync replicas have it. */
  async write(entry: ControlEntry): Promise<void> {
    const producer = this.#options.client.producer();
    try {
      await producer.send(this.#target, [formatControl(entry)]);
    } finally {
      await producer.close();
    }
  }

  #take(records: readonly ConsumedRecord[]): void {
    for (const { key, value, offset } of records) {
      const entry = parseControl(key, value);
      const name = key?.toString('utf8') ?? '';
      // The topic may keep it for long after the entry or the tombstone that mends it.
      this.#unreadable.delete(name);
      if (!entry && value !== null) this.#unreadable.set(name, offset);
      // A tombstone, by hand: the route is as if nothing had been said of it.
      else if (!entry) this.#forget(name);
      // Two processes that begin a new route at the same moment: the first one's word counts.
      else if (entry.kind === 'start') this.#starts.set(entry.groupId, this.#starts.get(entry.groupId) ?? entry.start);
      else this.#tell(entry.groupId, entry.pause);
    }
  }

  #assertReadable(): void {
    for (const [key, offset] of this.#unreadable) throw unreadable(this.#target.topic, key, offset);
  }

  #forget(key: string): void {
    const [, kind, groupId = ''] = /^(pause|start)\/(.+)$/s.exec(key) ?? [];
    if (kind === 'start') this.#starts.delete(groupId);
    if (kind === 'pause') this.#tell(groupId, undefined);
  }

  #tell(groupId: string, pause: PauseEntry | undefined): void {
    if (pause) this.#pauses.set(groupId, pause);
    else this.#pauses.delete(groupId);
    for (const listener of this.#listeners) listener(groupId);
  }
}

function unreadable(topic: string, key: string, offset: bigint): ConsumerError {
  const text = `${topic}: the entry at offset ${offset}, of the key "${printableText(key, 200)}", is of no version known here.`;
  return new ConsumerError('control-unreadable', text, { details: { topic, offset: Number(offset) } });
}
