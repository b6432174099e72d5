import type { KafkaAdmin } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';

const KEPT_MS = 5000;
/** Whoever asks is asked in turn by something that waits some seconds, as Prometheus does, and then learns nothing at all. */
const ANSWER_MS = 2000;

type Ends = ReadonlyMap<number, bigint>;

/**
 * Where the topics end, asked of the broker: what a fetch last told is old just when it matters, while a partition is
 * paused. One question per topic in five seconds, however many routes want to know.
 */
export class EndOffsetCache {
  readonly #admin: Pick<KafkaAdmin, 'offsets' | 'hidden'>;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly atMs: number; readonly ends: Ends | undefined }>();
  readonly #asking = new Map<string, Promise<void>>();

  constructor(admin: Pick<KafkaAdmin, 'offsets' | 'hidden'>, clock: Clock) {
    this.#admin = admin;
    this.#clock = clock;
  }

  /** By partition. Where the broker does not answer in time: what it said last, and undefined where it never did. */
  async of(topic: string): Promise<Ends | undefined> {
    const known = this.#known.get(topic);
    if (known && this.#clock.monotonicMs() - known.atMs < KEPT_MS) return known.ends;
    const isAnswered = await this.#inTime(this.#ask(topic).then(() => true));
    // The next one does not wait for it too.
    if (isAnswered === undefined) this.#keep(topic, known?.ends);
    return this.#known.get(topic)?.ends;
  }

  /** How many offsets open transactions hide at the end of a topic; undefined where the broker does not answer in time. */
  async hidden(topic: string): Promise<number | undefined> {
    const question = this.#admin.hidden(topic).catch(() => undefined);
    const hidden = await this.#inTime(question);
    return hidden && [...hidden.values()].reduce((sum, offsets) => sum + Number(offsets), 0);
  }

  /** An answer that comes late is known to the next one who wants it. */
  async #ask(topic: string): Promise<void> {
    const asking = this.#asking.get(topic) ?? this.#askNow(topic).finally(() => this.#asking.delete(topic));
    this.#asking.set(topic, asking);
    return asking;
  }

  async #askNow(topic: string): Promise<void> {
    try {
      const offsets = await this.#admin.offsets(topic);
      this.#keep(topic, new Map(offsets.map(({ partition, end }) => [partition, end])));
    } catch {
      this.#keep(topic, this.#known.get(topic)?.ends);
    }
  }

  #keep(topic: string, ends: Ends | undefined): void {
    this.#known.set(topic, { atMs: this.#clock.monotonicMs(), ends });
  }

  async #inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    const answered = new AbortController();
    const late = this.#clock.sleep(ANSWER_MS, answered.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      answered.abort();
    }
  }
}
