/** A line of the ledger, as far as it matters here. */
interface Line {
  readonly kind: string;
  readonly window: string;
  readonly state: string;
  readonly reading: number;
  readonly counts: {
    readonly read: number;
    readonly published: number;
    readonly unchanged: number;
    readonly stale?: number;
  };
}

export interface ReadingSums {
  readings: number;
  read: number;
  published: number;
  unchanged: number;
  /** Older than what another window of the day had brought already. */
  stale: number;
}

const none = (): ReadingSums => ({ readings: 0, read: 0, published: 0, unchanged: 0, stale: 0 });

/** Readings of windows that ended well, as the ledger's committed lines tell of them. */
export class Readings {
  readonly #seen = new Set<string>();
  /** Of each window the first one … */
  readonly first = none();
  /** … and those after it. */
  readonly again = none();
  /** Lanes that were claimed and begun. */
  readonly lanes = new Set<string>();

  add(key: string, value: Buffer | null): void {
    if (value === null) return;
    const line = JSON.parse(String(value)) as Line;
    if (line.kind === 'run-plan') this.lanes.add(key);
    if (line.kind !== 'run-window' || line.state !== 'done') return;
    const { window, reading, counts } = line;
    const identity = `${window} ${reading}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    const sums = reading === 1 ? this.first : this.again;
    sums.readings += 1;
    sums.read += counts.read;
    sums.published += counts.published;
    sums.unchanged += counts.unchanged;
    sums.stale += counts.stale ?? 0;
  }
}
