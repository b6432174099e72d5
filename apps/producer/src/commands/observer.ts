import type { BudgetState } from '@genesys-kafka/genesys-client';
import type { LedgerEntry, RecordCounts, WindowError } from '@genesys-kafka/ledger';
import {
  createMetrics,
  startHealthServer,
  type Logger,
  type Metrics,
  type Progress,
  type ProgressTask,
  type Readiness,
  type Session,
} from '@genesys-kafka/runtime';
import type { ProducerObserver } from '../export/context.ts';
import type { OnDownload } from '../genesys/archive-fetcher.ts';
import type { Settings } from '../settings.ts';

/** What the pipeline tells of itself, as metrics and progress. */
export interface Observer extends ProducerObserver, Disposable {
  readonly ready: () => Readiness;
  onConnected(): void;
  readonly onDownload: OnDownload;
  /** The requests that Genesys allows, asked for where somebody looks at the metrics. */
  watchBudget(budget: () => BudgetState): void;
  onRecords(counts: RecordCounts, bytes: number): void;
}

const NOT_CONNECTED = 'not connected to Kafka and the registry yet';
const TRANSACTION_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What watches a command that publishes: metrics, progress, and health and metrics over HTTP where a port is set.
 * `notReady`: reasons of the command's own against being ready.
 */
export async function observe(
  session: Session<Settings>,
  notReady: () => readonly string[] = () => [],
): Promise<Observer & AsyncDisposable & { readonly metrics: Metrics }> {
  const { settings, progress, log, signal } = session;
  await using stack = new AsyncDisposableStack();
  const metrics = stack.use(createMetrics());
  const observer = stack.use(createObserver(metrics, progress, log));
  const ready = () => {
    const { ready: isReady, reasons: own } = observer.ready();
    const reasons = isReady ? notReady() : own;
    return { ready: reasons.length === 0, reasons };
  };
  const server = await startHealthServer({ ...settings.http, metrics, signal, ready });
  if (server) stack.use(server);
  const resources = stack.move();
  return { ...observer, metrics, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export function createObserver(metrics: Metrics, progress: Progress, log: Logger): Observer {
  const records = metrics.counter('records_total', 'Records read from sources, by outcome.', ['outcome']);
  const bytes = metrics.counter('record_bytes_total', 'Bytes of records, as Genesys sent them.');
  const committed = metrics.counter('committed_records_total', 'Records in committed transactions.');
  const transactions = metrics.histogram(
    'transaction_commit_seconds',
    'From closing a transaction to its commit.',
    TRANSACTION_SECONDS,
  );
  const buffered = metrics.gauge('publish_buffer_bytes', 'Bytes that wait for the broker.');
  const staged = metrics.counter(
    'staged_bytes_total',
    'Bytes of archives that were checked and made ready to be sent.',
  );
  const sources = metrics.counter('sources_total', 'Windows and archives ended, by state.', ['state']);
  // What begins with 1 has not risen, for whoever compares two scrapes.
  for (const state of ['done', 'partial', 'rejected'] as const) sources.inc({ state }, 0);
  const downloaded = metrics.counter('downloaded_bytes_total', 'Bytes of archives downloaded.');
  const refused = metrics.counter(
    'dead_letter_store_failures_total',
    'Refused writes of dead letters to object storage.',
  );
  let keeper: { readonly notReady: string | undefined } | undefined;
  let budget: () => BudgetState = () => ({ used: 0, allowed: 0, waitedMs: 0 });
  metrics.gauge(
    'genesys_budget_used_requests',
    'Requests that Genesys has counted in its running window, those on their way included.',
    [],
    (gauge) => gauge.set(budget().used),
  );
  metrics.gauge(
    'genesys_budget_allowed_requests',
    'Requests that Genesys allows in a window; 0 until it has told.',
    [],
    (gauge) => gauge.set(budget().allowed),
  );
  metrics.counter(
    'genesys_budget_wait_seconds_total',
    'Time that requests to Genesys have waited for the budget, summed over the requests.',
    [],
    (counter) => {
      counter.reset();
      counter.inc(budget().waitedMs / 1000);
    },
  );
  const tasks: { publish?: ProgressTask; download?: ProgressTask; stage?: ProgressTask } = {};
  let isConnected = false;
  let toStage = 0;
  const downloads: { bytes: number; total: number }[] = [];
  return {
    ready: () => {
      const reasons = isConnected ? [keeper?.notReady].flatMap((reason) => reason ?? []) : [NOT_CONNECTED];
      return { ready: reasons.length === 0, reasons };
    },
    onConnected: () => {
      isConnected = true;
    },
    watchBudget: (read) => {
      budget = read;
    },
    onRecords: (counts, size) => {
      records.inc({ outcome: 'published' }, counts.published);
      records.inc({ outcome: 'invalid' }, counts.invalid);
      records.inc({ outcome: 'unchanged' }, counts.unchanged);
      records.inc({ outcome: 'stale' }, counts.stale ?? 0);
      bytes.inc(size);
      tasks.publish ??= progress.task('publish', { unit: 'records' });
      tasks.publish.advance(counts.read);
    },
    onStaging: (size) => {
      toStage += size;
      tasks.stage ??= progress.task('check', { unit: 'bytes' });
      tasks.stage.total(toStage);
    },
    onStaged: (size) => {
      staged.inc(size);
      tasks.stage?.advance(size);
    },
    onCommit: (commit) => {
      committed.inc(commit.records);
      transactions.observe(commit.ms / 1000);
      log.debug(commit, 'transaction committed');
    },
    onBuffered: (size) => buffered.set(size),
    onDownload: () => {
      const task = (tasks.download ??= progress.task('download', { unit: 'bytes' }));
      const download = { bytes: 0, total: 0 };
      downloads.push(download);
      const sum = (of: 'bytes' | 'total') => downloads.reduce((all, one) => all + one[of], 0);
      return (bytes, total) => {
        downloaded.inc(Math.max(0, bytes - download.bytes));
        Object.assign(download, { bytes, total: total ?? bytes });
        task.total(sum('total'));
        task.reset(sum('bytes'));
      };
    },
    onSourceEnded: (entry: LedgerEntry) => {
      sources.inc({ state: entry.state });
      const { window, state, counts } = entry;
      if (entry.error) log.warn({ window, state, counts, error: entry.error }, 'source ended early');
      else log.debug({ window, state, counts }, 'source done');
    },
    onSourceRejected: (source: string, error: WindowError) => {
      sources.inc({ state: 'rejected' });
      log.warn({ source, error }, 'source rejected');
    },
    onLettersRefused: (err: unknown, waitMs: number) => {
      refused.inc();
      log.error({ err, waitMs }, 'dead letters were not written to object storage; their window waits until they are');
    },
    onKeeper: (opened) => {
      keeper = opened;
    },
    onSourcePassedOver: (source: string, what: string) => log.warn({ source, what }, 'passed over in a directory'),
    onArchiveLeft: ({ window, counts, updatedAt }: LedgerEntry) =>
      log.warn(
        { window, counts, updatedAt },
        'an archive was left in its midst and is not among the arguments: publish it again to go on',
      ),
    [Symbol.dispose]: () => {
      tasks.download?.done();
      tasks.stage?.done();
      tasks.publish?.done();
    },
  };
}
