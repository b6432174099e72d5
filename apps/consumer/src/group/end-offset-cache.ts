import type { KafkaAdmin } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';

const KEPT_MS = 5000;

/**
 * Where the topics end, asked of the broker: what a fetch last told is old just when it matters, while a partition is
 * paused. One question per topic in five seconds, however many routes want to know.
 */
export class EndOffsetCache {
  readonly #admin: Pick<KafkaAdmin, 'offsets' | 'hidden'>;
  readonly #clock: Clock;
  readonly #asked = new Map<string, { readonly atMs: number; readonly ends: Promise<ReadonlyMap<number, bigint>> }>();

  constructor(admin: Pick<KafkaAdmin, 'offsets' | 'hidden'>, clock: Clock) {
    this.#admin = admin;
    this.#clock = clock;
  }

  /** By partition; empty where the broker does not answer. */
  async of(topic: string): Promise<ReadonlyMap<number, bigint>> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#asked.get(topic);
    if (known && nowMs - known.atMs < KEPT_MS) return known.ends;
    const ends = this.#admin.offsets(topic).then(
      (offsets) => new Map(offsets.map(({ partition, end }) => [partition, end])),
      () => new Map<number, bigint>(),
    );
    this.#asked.set(topic, { atMs: nowMs, ends });
    return ends;
  }

  /** How many offsets open transactions hide at the end of a topic; undefined where the broker does not answer. */
  async hidden(topic: string): Promise<number | undefined> {
    try {
      const hidden = await this.#admin.hidden(topic);
      return [...hidden.values()].reduce((sum, offsets) => sum + Number(offsets), 0);
    } catch {
      return undefined;
    }
  }
}
