import type { Run } from '../rounds.ts';
import { pairedRatio, spread, type Spread } from './statistics.ts';

/** One line of the table; a figure is undefined where the system does not tell it. */
export interface Line {
  readonly name: string;
  readonly seconds: Spread;
  readonly megabytesPerSecond: number;
  readonly clientCpuSeconds: Spread | undefined;
  readonly brokerCpuSeconds: Spread | undefined;
  readonly sourceCpuSeconds: Spread | undefined;
  readonly peakBytes: Spread | undefined;
  /** How late the event loop was: p99 of each run, in milliseconds. */
  readonly loopDelayMs: Spread | undefined;
  /** How many times as fast as the guide's stack; undefined where that was not run. */
  readonly timesTheGuide: number | undefined;
}

/** The peer that stands for what a guide tells people to take. */
const GUIDE = 'python';

/** Lines in the order of `runs`; `bytes` is what one run publishes. */
export function linesOf(runs: ReadonlyMap<string, readonly Run[]>, bytes: number): Line[] {
  const guide = spread((runs.get(GUIDE) ?? []).map(({ seconds }) => seconds));
  return [...runs].map(([name, of]) => {
    const figures = (pick: (run: Run) => number | undefined) => of.map(pick).filter((figure) => figure !== undefined);
    const seconds = spread(figures((run) => run.seconds))!;
    return {
      name,
      seconds,
      megabytesPerSecond: bytes / 1e6 / seconds.median,
      clientCpuSeconds: spread(figures((run) => run.clientCpuSeconds)),
      brokerCpuSeconds: spread(figures((run) => run.brokerCpuSeconds)),
      sourceCpuSeconds: spread(figures((run) => run.sourceCpuSeconds)),
      peakBytes: spread(figures((run) => run.peakBytes)),
      loopDelayMs: spread(figures((run) => run.loopDelayMs)),
      timesTheGuide: guide && guide.median / seconds.median,
    };
  });
}

/** By how much the figures of a case moved since another commit: this one's, divided by that one's in the same round. */
export interface Movement {
  readonly name: string;
  readonly seconds: Spread | undefined;
  readonly clientCpu: Spread | undefined;
  readonly brokerCpu: Spread | undefined;
  readonly peak: Spread | undefined;
}

/** Of every case that was run at both commits. */
export function movements(runs: ReadonlyMap<string, readonly Run[]>, label: string): Movement[] {
  return [...runs].flatMap(([name, now]) => {
    const before = runs.get(`${name} ${label}`);
    if (!before) return [];
    const ratio = (pick: (run: Run) => number | undefined) =>
      pairedRatio(
        now.map((run) => pick(run) ?? 0),
        before.map((run) => pick(run) ?? 0),
      );
    return {
      name,
      seconds: ratio((run) => run.seconds),
      clientCpu: ratio((run) => run.clientCpuSeconds),
      brokerCpu: ratio((run) => run.brokerCpuSeconds),
      peak: ratio((run) => run.peakBytes),
    };
  });
}
