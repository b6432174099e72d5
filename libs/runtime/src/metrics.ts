import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from './cli/version.ts';

const PREFIX = 'genesys_kafka_';
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

export type { Counter, Gauge, Histogram };

/** Delay of the event loop since the start, in milliseconds: how late a timer came. */
export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A registry of its own for one process, with the process's usual figures in it. */
export interface Metrics extends Disposable {
  /**
   * `read` is called when a figure is asked for: the way to show a depth that changes all the time, or a count that is
   * kept as a number. Names are without `genesys_kafka_`, which is added, and end in `_total`, `_bytes`, `_seconds` where
   * they count these.
   */
  counter<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    read?: (counter: Counter<L>) => void,
  ): Counter<L>;
  gauge<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    read?: (gauge: Gauge<L>) => void | Promise<void>,
  ): Gauge<L>;
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ): Histogram<L>;
  eventLoopDelay(): EventLoopDelay;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'What runs: always 1.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: VERSION, node: process.versions.node }, 1);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // The monitor measures whole intervals between its ticks: the time it meant to wait is no delay.
  const toMs = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / NS_PER_MS - RESOLUTION_MS) : 0);
  const eventLoopDelay = () => ({
    p50Ms: toMs(delay.percentile(50)),
    p99Ms: toMs(delay.percentile(99)),
    maxMs: delay.count === 0 ? 0 : toMs(delay.max),
  });
  new Gauge({
    name: `${PREFIX}event_loop_delay_seconds`,
    help: 'Delay of the event loop since the start, by quantile; 1 is the maximum.',
    labelNames: ['quantile'] as const,
    registers,
    collect() {
      const { p50Ms, p99Ms, maxMs } = eventLoopDelay();
      this.set({ quantile: '0.5' }, p50Ms / 1000);
      this.set({ quantile: '0.99' }, p99Ms / 1000);
      this.set({ quantile: '1' }, maxMs / 1000);
    },
  });
  return {
    counter: <L extends string>(
      name: string,
      help: string,
      labels: readonly L[] = [],
      read?: (counter: Counter<L>) => void,
    ) => {
      const counter: Counter<L> = new Counter<L>({
        name: PREFIX + name,
        help,
        labelNames: [...labels],
        registers,
        ...(read && { collect: () => read(counter) }),
      });
      return counter;
    },
    gauge: <L extends string>(
      name: string,
      help: string,
      labels: readonly L[] = [],
      read?: (gauge: Gauge<L>) => void | Promise<void>,
    ) => {
      const gauge: Gauge<L> = new Gauge<L>({
        name: PREFIX + name,
        help,
        labelNames: [...labels],
        registers,
        ...(read && { collect: () => read(gauge) }),
      });
      return gauge;
    },
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name: PREFIX + name, help, buckets: [...buckets], labelNames: [...labels], registers }),
    eventLoopDelay,
    text: () => registry.metrics(),
    contentType: registry.contentType,
    [Symbol.dispose]() {
      delay.disable();
      registry.clear();
    },
  };
}
