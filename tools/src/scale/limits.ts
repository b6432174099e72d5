import { ASSUMED, type Defaults, type Delivered } from './assumptions.ts';
import { dayOf, deliveredPerSecond } from './demand.ts';
import type { Figures } from './figures.ts';

export interface Limit {
  readonly name: string;
  /** Where it is set or said, as Markdown. */
  readonly where: string;
  /** Conversations a day at which it is full in the busiest hour. */
  readonly bears: number;
  /** What moves it. */
  readonly moved: string;
}

/** With everything as it is by default, the one that is full first in front. */
export function limitsOf(figures: Figures, set: Defaults, delivered: Delivered | undefined): Limit[] {
  const { requestsPerMinute, archiveSize, shortestWindowSeconds } = ASSUMED;
  const requests = Math.min(requestsPerMinute / 60, set.requestsPerSecond);
  const consumer = deliveredPerSecond(set, delivered);
  const limits: Limit[] = [
    {
      name: 'bulk-archive: conversations of a minute',
      where: '`size` of the [query](genesys-cloud.md#bulk-archives); `windows.size` is a minute at least',
      bears: dayOf((archiveSize - 1) / shortestWindowSeconds),
      moved: 'a larger `size` in `genesys.query`',
    },
    {
      name: 'details-jobs: requests',
      where: '[Genesys, for each token](genesys-cloud.md#rate-limits); `genesys.requestsPerSecond`',
      bears: dayOf(requests * set.pageSize),
      moved: 'a raised limit at Genesys; exports that take the whole day; bulk-archive',
    },
    {
      name: 'one producer process',
      where: '`publish` in the [benchmark](benchmarks.md)',
      bears: dayOf(figures.publishedPerSecond),
      moved: 'more processes of `run`; or one for each part of the interval, each an export of its own',
    },
    {
      name: `${set.lanes} producer processes`,
      where: 'partitions of the [ledger](reference/topics.md), fixed',
      bears: dayOf(set.lanes * figures.publishedPerSecond),
      moved:
        'nothing stops there, but exports share partitions, by chance even before: one that starts waits for the open transactions of others',
    },
    {
      name: 'one core of the brokers',
      where: '`publish` in the [benchmark](benchmarks.md), leaders alone',
      bears: dayOf(1 / figures.brokerCpuSeconds),
      moved: 'more cores and brokers',
    },
    {
      name: 'one consumer process to one HTTP target',
      where: '`sinks.*.concurrency`, and how fast the target is',
      bears: dayOf(consumer),
      moved: 'more concurrency; more processes',
    },
    {
      name: `${set.partitions} consumer processes to one HTTP target`,
      where: '`kafka.partitions`: a process has one at least',
      bears: dayOf(set.partitions * consumer),
      moved: 'more partitions, from the start: adding some moves keys',
    },
  ];
  return limits.sort((one, other) => one.bears - other.bears);
}
