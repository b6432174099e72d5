import { code, page, table } from '../reference/markdown.ts';
import { ASSUMED, defaults, DELIVERED, LEVELS, type Defaults, type Delivered } from './assumptions.ts';
import { deliveredPerSecond, demandOf, type Demand } from './demand.ts';
import { figuresOf, lastBenchmark, type Benchmark, type Figures } from './figures.ts';
import { limitsOf, type Limit } from './limits.ts';
import { bytes, count, load, mebibytes, seconds, whole } from './units.ts';

const DELIVER = '`npm run bench:deliver`';
const LEVEL_NAMES = LEVELS.map((level) => `${count(level)} a day`);

/** docs/scale.md, from the last benchmark and what the programs are set to by default. */
export async function scalePage(benchmark: Benchmark = lastBenchmark()): Promise<string> {
  return scaleOf(benchmark, await defaults(), DELIVERED);
}

/** @internal */
export function scaleOf(benchmark: Benchmark, set: Defaults, delivered: Delivered | undefined): string {
  const figures = figuresOf(benchmark);
  const demands = LEVELS.map((level) => demandOf(level, figures, set, delivered));
  const limits = limitsOf(figures, set, delivered);
  const share = count(ASSUMED.peakHourShare * 24);
  return page(
    'Scale, on paper',
    `What ${LEVELS.map(count).join(', ')} conversations a day ask of each part, worked out from the [benchmark](benchmarks.md) of ${benchmark.date} (${code(benchmark.command)}: ${count(benchmark.records)} conversations) and the programs’ defaults. Nothing of this size was run. Rates are those of the busiest hour, which exports that keep step with the day have to bear; an export that may take the whole day for a day needs ${share} times less of everything that is given as a rate, or in cores or processes.`,
    '## What is taken for granted',
    table(['what', 'value', 'from'], assumptions(figures, set, delivered)),
    'All else is what the [settings](reference/settings.md) and [topics](reference/topics.md) are by default.',
    '## What it takes',
    table(['', ...LEVEL_NAMES], needs(demands, set)),
    notes(set),
    '## What is full first',
    'How full each limit is in the busiest hour with everything at its default (but for the windows of bulk-archive, which are as short as they have to be), the first in front. What is over 100 % has to be moved for that level.',
    table(
      ['limit', 'where', 'bears a day', ...LEVEL_NAMES, 'moved by'],
      limits.map((limit) => [
        limit.name,
        limit.where,
        count(limit.bears),
        ...LEVELS.map((level) => load(level / limit.bears)),
        limit.moved,
      ]),
    ),
    LEVELS.map((level) => `- **${count(level)} a day:** ${verdict(limits, level)}`).join('\n'),
    'Not in the table, as they have no size of their own: the network, Kafka’s disks, and how fast Genesys makes a page or an archive.',
  );
}

function assumptions(figures: Figures, set: Defaults, delivered: Delivered | undefined): string[][] {
  const { jsonBytes, zipBytes, producerCpuSeconds, brokerCpuSeconds, publishedPerSecond } = figures;
  const measured = '[benchmarks.json](benchmarks.json)';
  const cpu = (cpuSeconds: number) => `${count(cpuSeconds * 1000)} ms`;
  return [
    ['a conversation as JSON', bytes(jsonBytes), measured],
    [
      'in a ZIP, and in Kafka',
      bytes(zipBytes),
      `${measured}; zstd batches are [about as large as the ZIP](operating.md#files-links-and-proxies)`,
    ],
    [
      'CPU of the producer for one, by pages and by archives',
      `${cpu(producerCpuSeconds['details-jobs'])}, ${cpu(producerCpuSeconds['bulk-archive'])}`,
      `${measured}: ${code('export-details-jobs')}, ${code('export-bulk-archive')}`,
    ],
    ['CPU of the broker for one, as its leader', cpu(brokerCpuSeconds), `${measured}: ${code('publish')}`],
    [
      'one producer process',
      `${count(publishedPerSecond)} a second, ${bytes(publishedPerSecond * jsonBytes)} of JSON`,
      `${measured}: ${code('publish')}, start included`,
    ],
    [
      'one consumer process, to an HTTP target',
      `${count(deliveredPerSecond(set, delivered))} a second`,
      `${set.concurrency} requests at a time (${code('sinks.*.concurrency')}) of ${ASSUMED.targetMs} ms, assumed; ` +
        (delivered
          ? `at most ${count(delivered.recordsPerSecond)} a second, ${DELIVER} of ${delivered.date}`
          : `whether its CPU is enough for that, ${DELIVER} tells`),
    ],
    [
      'the busiest hour',
      `${count(ASSUMED.peakHourShare * 100)} % of a day`,
      'assumed: a working day of ten even hours',
    ],
    [
      'a job',
      `${seconds(ASSUMED.jobMs / 1000)}, ${set.polls} polls`,
      'assumed; Genesys: [seconds to minutes](genesys-cloud.md#details-jobs)',
    ],
    ['requests of a token', `${ASSUMED.requestsPerMinute} a minute`, '[Genesys](genesys-cloud.md#rate-limits)'],
    ['an archive', `below ${whole(ASSUMED.archiveSize)}`, '[its default `size`](genesys-cloud.md#bulk-archives)'],
    [
      'retention of the main topic',
      `${ASSUMED.retentionDays} days`,
      'Kafka’s own default: the [topic](reference/topics.md) is created without one',
    ],
    ['copies', String(ASSUMED.replication), '[topics](reference/topics.md), with three brokers'],
  ];
}

function needs(demands: readonly Demand[], set: Defaults): string[][] {
  const budget = Math.min(ASSUMED.requestsPerMinute, 60 * set.requestsPerSecond);
  const row = (name: string, of: (demand: Demand) => string) => [name, ...demands.map(of)];
  return [
    row('conversations a second', ({ peakPerSecond }) => count(peakPerSecond)),
    row(
      `details-jobs: jobs of ${seconds(set.windowSeconds)}, requests a day`,
      ({ pages }) => `${whole(pages.windows)}, ${count(pages.aDay)}`,
    ),
    row(
      `– requests a minute, of ${budget}`,
      ({ pages }) => `${count(pages.peakPerMinute)} (${load(pages.peakPerMinute / budget)})`,
    ),
    row('– a page may take', ({ pageSeconds }) => seconds(pageSeconds)),
    row(
      'bulk-archive: length of a window, jobs and requests a day',
      ({ archives }) => `${seconds(archives.windowSeconds)}, ${whole(archives.windows)}, ${count(archives.aDay)}`,
    ),
    row(`– requests a minute, of ${budget}`, ({ archives }) => {
      return `${count(archives.peakPerMinute)} (${load(archives.peakPerMinute / budget)})`;
    }),
    row('– `size` at least', ({ archives: { size } }) => (size === undefined ? 'the default' : count(size))),
    row('– spool disk', ({ archives }) => bytes(archives.spoolBytes)),
    row('JSON a day', ({ jsonBytes }) => bytes(jsonBytes)),
    row('ZIPs a day, or compressed into Kafka', ({ zipBytes }) => bytes(zipBytes)),
    row('producer, cores: by pages, by archives', ({ producerCores }) => {
      return `${count(producerCores['details-jobs'])}, ${count(producerCores['bulk-archive'])}`;
    }),
    row('producer processes', ({ producers }) => count(producers)),
    row('brokers, cores of the leaders', ({ brokerCores }) => count(brokerCores)),
    row('transactions a day', ({ transactions }) => count(transactions)),
    row('– marks of commits in the partitions', ({ markers }) => count(markers)),
    row(
      'lines of the ledger a day, at most',
      ({ ledgerLines, ledgerBytes }) => `${count(ledgerLines)}, ${bytes(ledgerBytes)}`,
    ),
    row('– left of a year by compaction', ({ ledgerKeptBytes }) => bytes(ledgerKeptBytes)),
    row('digests in headers a day, uncompressed', ({ digestBytes }) => bytes(digestBytes)),
    row(`to each of ${set.partitions} partitions a second`, ({ partitionPeakBytes }) => bytes(partitionPeakBytes)),
    row('– each holds', ({ partitionBytes }) => bytes(partitionBytes)),
    row('Kafka’s disks, all copies', ({ storedBytes }) => bytes(storedBytes)),
    row('consumer processes to one HTTP target that takes all', ({ consumers }) => count(consumers)),
  ];
}

function notes(set: Defaults): string {
  return [
    `- A job of ${seconds(set.windowSeconds)} is not asked for before these are over, and its pages come one after the other. Exports that keep step with the day take shorter windows, of which ${set.concurrentJobs} (${code('genesys.concurrentJobs')}) are fetched side by side.`,
    `- A transaction ends after ${mebibytes(set.transactionBytes)} or ${seconds(set.transactionSeconds)}, whichever is first at the pace of one process; each window adds two, one with its job’s id and one that ends it. Transactions, ledger and jobs of the lower rows are those of bulk-archive, which has more windows.`,
    `- The ledger’s lines are ${set.entryBytes} bytes and more, one for each window in a transaction. Compaction takes a segment of ${mebibytes(set.ledgerSegmentBytes)} at the latest ${seconds(set.compactionSeconds)} later and leaves one line for each window. A start reads one of ${set.lanes} partitions.`,
    '- `genesys.requestsPerSecond` is of one process. Those of `producer run` [share the windows](operating.md#more-than-one-process) and divide what Genesys’ answers allow; three of them go through a backfill [twice as fast](operating.md#how-fresh-how-fast) as one. Exports share nothing: divide it among those that use one client.',
    '- Replicas cost their brokers CPU and network too; that was not measured. Nor are counted: retry and dead-letter topics, what `run` reads again (jobs and requests once more for each reading, and of the records those that have changed), and the topic of digests, one for each conversation and day that may still be read again (61 MiB of memory for a day of a million).',
  ].join('\n');
}

/** What is too full at a level, and what comes after that. */
function verdict(limits: readonly Limit[], level: number): string {
  const told = (limit: Limit) => `${limit.name} (${load(level / limit.bears)})`;
  const over = limits.filter(({ bears }) => bears < level);
  const [next, afterNext] = limits.filter(({ bears }) => bears >= level);
  if (over.length === 0) return `nothing is full. First to be: ${told(next!)}; then: ${told(afterNext!)}.`;
  return `full, the first in front: ${over.map(told).join('; ')}.${next ? ` Next: ${told(next)}.` : ''}`;
}
