import type { LaneDigests, LanePublisher, LedgerLine, RunWindow } from '@genesys-kafka/ledger';
import type { SourcePublisher } from '../pipeline/source-publisher.ts';

interface WindowInWork {
  readonly source: SourcePublisher<RunWindow>;
  readonly ended: Promise<void>;
}

/** Whether a job of the window is being read. */
export function isInHand({ state }: RunWindow): boolean {
  return state === 'submitted' || state === 'publishing';
}

export interface LaneParts {
  readonly lines: Iterable<LedgerLine>;
  readonly publisher: LanePublisher;
  readonly signal: AbortSignal;
  readonly digests?: LaneDigests | undefined;
}

/** A lane while it is ours. It ends with its publisher: what is known of its windows is then read anew. */
export class HeldLane {
  readonly number: number;
  readonly publisher: LanePublisher;
  /** Aborts when the lane fails, is let go, or the program stops. */
  readonly signal: AbortSignal;
  /** By which only what has changed is published. */
  readonly digests: LaneDigests | undefined;
  /** What is known of its windows; of one in work, as it was before. */
  readonly lines = new Map<string, RunWindow>();
  readonly #inWork = new Map<string, WindowInWork>();
  #expiring: Promise<void> | undefined;
  #expiredBefore: string | undefined;

  constructor(number: number, { lines, publisher, signal, digests }: LaneParts) {
    this.number = number;
    this.publisher = publisher;
    this.signal = signal;
    this.digests = digests;
    for (const line of lines) if (line.kind === 'run-window') this.lines.set(line.window, line);
  }

  get inWork(): ReadonlyMap<string, WindowInWork> {
    return this.#inWork;
  }

  /** `read` reads the source's window, and never rejects; `onEnded` is called once it is no longer in work. */
  work(source: SourcePublisher<RunWindow>, read: () => Promise<void>, onEnded: () => void): void {
    const { window } = source.entry;
    const ended = read().then(() => {
      this.#inWork.delete(window);
      this.lines.set(window, source.entry);
      onEnded();
    });
    this.#inWork.set(window, { source, ended });
  }

  /**
   * Ends the digests of days before this one, which no reading reaches any more. All of them are read for it, so it is done
   * when the day moves on, and not at each claim. `onBug` is told what is no failure of the lane.
   */
  expire(scope: string, beforeDay: string, onBug: (error: unknown) => void): void {
    const { digests } = this;
    this.#expiredBefore ??= beforeDay;
    if (!digests || this.#expiring || this.#expiredBefore >= beforeDay) return;
    this.#expiredBefore = beforeDay;
    const expire = async () => {
      while (!this.signal.aborted && (await digests.expire(scope, beforeDay)) > 0);
    };
    this.#expiring = expire()
      .catch((error: unknown) => {
        // With the lane, which is read anew; its digests end another time.
        if (!this.signal.aborted) onBug(error);
      })
      .finally(() => {
        this.#expiring = undefined;
      });
  }

  /** Resolves when nothing is in work any more. */
  async idle(): Promise<void> {
    await Promise.all([this.#expiring, ...[...this.#inWork.values()].map(({ ended }) => ended)]);
  }

  /** Jobs that are being read: what was downloaded of them is kept meanwhile. */
  get jobsInHand(): ReadonlySet<string> {
    const lines = [...this.lines.values()].filter(isInHand);
    return new Set(lines.flatMap(({ source }) => source?.id ?? []));
  }

  /** Start of the oldest window of which a reading is in work, or has failed: its day's digests are still asked. */
  get unsettledMs(): number {
    const isSettled = ({ state }: RunWindow) => state === 'done' || state === 'split';
    const failed = [...this.lines.values()].filter((line) => !isSettled(line)).map(({ window }) => window);
    const starts = [...failed, ...this.#inWork.keys()].map((window) => Date.parse(window.split('/', 1)[0]!));
    return Math.min(Infinity, ...starts);
  }

  /** Whether a window of this lane is, or was last, read from this job. */
  reads(jobId: string): RunWindow | undefined {
    const lines = [...[...this.#inWork.values()].map(({ source }) => source.entry), ...this.lines.values()];
    return lines.find(({ source }) => source?.id === jobId);
  }
}
