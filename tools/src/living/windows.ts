/** A line of the ledger, as far as it matters here. */
interface WindowLine {
  readonly window: string;
  readonly state: string;
  readonly lastReading?: { readonly until: string };
}

/** What the ledger holds of the windows of `run`, as its committed lines come in. */
export class Windows {
  readonly #lines = new Map<string, WindowLine>();

  /** Another line; those that are not about a window of `run` are passed over. */
  add(key: string, value: Buffer | null): void {
    if (value === null) return;
    const line = JSON.parse(String(value)) as Partial<WindowLine> & { kind?: string };
    if (line.kind === 'run-window') this.#lines.set(key, line as WindowLine);
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { state } of this.#lines.values()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  /**
   * Where the interval is not covered, without a gap, by windows that were read to their end with data that was available
   * until `untilMs` or later; empty when it is.
   */
  unread(fromMs: number, toMs: number, untilMs: number): string[] {
    const read = [...this.#lines.values()]
      .filter(({ state, lastReading }) => state !== 'split' && Date.parse(lastReading?.until ?? '') >= untilMs)
      .map(({ window }) => window.split('/').map((instant) => Date.parse(instant)) as [number, number])
      .sort((a, b) => a[0] - b[0]);
    const gaps: string[] = [];
    let endMs = fromMs;
    const gap = (nextMs: number) => {
      if (nextMs > endMs) gaps.push(`${new Date(endMs).toISOString()}/${new Date(nextMs).toISOString()}`);
    };
    for (const [start, end] of read) {
      gap(Math.min(start, toMs));
      endMs = Math.max(endMs, end);
    }
    gap(toMs);
    return gaps;
  }
}
