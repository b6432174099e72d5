import { connectKafka, readToEnd, type KafkaClient, type TopicPartition } from '@genesys-kafka/kafka';
import { CLAIM_PREFIX, decodeLedgerValue, type LedgerEntry, type WindowState } from '@genesys-kafka/ledger';
import { redactText, type Session } from '@genesys-kafka/runtime';
import { topicSpecs } from '@genesys-kafka/topics';
import { sumCounts } from '../export/report.ts';
import type { Settings } from '../settings.ts';

interface ExportStatus {
  readonly exportId: string;
  readonly contract: string;
  readonly generation: number;
  readonly windows: number;
  readonly states: Partial<Record<WindowState, number>>;
  readonly records: LedgerEntry['counts'];
  readonly bytes: number;
  readonly updatedAt: string;
  /** Windows that are not done: where they stand and why they stopped. */
  readonly open: readonly Pick<LedgerEntry, 'window' | 'state' | 'counts' | 'error' | 'source'>[];
}

interface LedgerStatus {
  readonly connector: string;
  readonly hidden: number;
  readonly exports: readonly ExportStatus[];
}

/** `producer status`: what the committed ledger says of this connector's exports. Changes nothing, claims nothing. */
export async function statusCommand(session: Session<Settings>): Promise<number> {
  const { settings, log, signal } = session;
  const client = connectKafka(settings, log);
  try {
    const { ledger } = topicSpecs({ prefix: settings.kafka.topicPrefix });
    const topic = await client.admin.describeTopic(ledger.name);
    const nothing: LedgerView = { entries: [], hidden: 0 };
    const { entries, hidden } = topic ? await readLedger(client, ledger.name, topic.partitions, signal) : nothing;
    const exports = summarise(entries.filter((entry) => entry.connector === settings.connector));
    await session.tell({ connector: settings.connector, hidden, exports }, statusLines);
    return 0;
  } finally {
    await client.close();
  }
}

interface LedgerView {
  readonly entries: readonly LedgerEntry[];
  /** Offsets that lie behind a transaction which is still open: what they hold cannot be told yet. */
  readonly hidden: number;
}

async function readLedger(
  client: KafkaClient,
  topic: string,
  partitions: number,
  signal: AbortSignal,
): Promise<LedgerView> {
  const views = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => readPartition(client, { topic, partition }, signal)),
  );
  return {
    entries: views.flatMap((view) => view.entries),
    hidden: views.reduce((sum, view) => sum + view.hidden, 0),
  };
}

async function readPartition(client: KafkaClient, target: TopicPartition, signal: AbortSignal): Promise<LedgerView> {
  const entries = new Map<string, LedgerEntry>();
  let hidden = 0;
  for await (const slice of readToEnd(client, target, { signal })) {
    hidden = Math.max(0, Number(slice.highWatermark - slice.nextOffset));
    for (const { key: bytes, value } of slice.records) {
      const key = bytes?.toString() ?? '';
      if (key.startsWith(CLAIM_PREFIX)) continue;
      const entry = value === null ? undefined : decodeLedgerValue(key, value);
      if (entry?.kind === 'window') entries.set(key, entry);
      else entries.delete(key);
    }
  }
  return { entries: [...entries.values()], hidden };
}

/** One line an export, the newest generation alone, the latest change first. */
export function summarise(entries: readonly LedgerEntry[]): ExportStatus[] {
  const byExport = Map.groupBy(entries, (entry) => entry.exportId);
  return [...byExport.values()]
    .map((all): ExportStatus => {
      const generation = Math.max(...all.map((entry) => entry.generation));
      const current = all.filter((entry) => entry.generation === generation);
      const states: Partial<Record<WindowState, number>> = {};
      for (const { state } of current) states[state] = (states[state] ?? 0) + 1;
      const { exportId, contract } = current[0]!;
      const updatedAt = current.map((entry) => entry.updatedAt).reduce((a, b) => (a > b ? a : b));
      const open = current
        .filter((entry) => entry.state !== 'done')
        .map(({ window, state, counts, source, error }) => ({
          window,
          state,
          counts,
          ...(source ? { source } : {}),
          ...(error ? { error } : {}),
        }));
      return {
        exportId,
        contract,
        generation,
        windows: current.length,
        states,
        ...sumCounts(current),
        updatedAt,
        open,
      };
    })
    .sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
}

function statusLines({ connector, hidden, exports }: LedgerStatus): string[] {
  const behind =
    hidden === 0 ? [] : [`${hidden} offsets lie behind a transaction that is still open; ask again in a minute.`];
  if (exports.length === 0) return [`Nothing in the ledger for connector ${connector}.`, ...behind];
  const lines = exports.flatMap(({ exportId, contract, generation, windows, states, records, updatedAt, open }) => [
    `${exportId}  ${contract}${generation > 1 ? `, generation ${generation}` : ''}, last change ${updatedAt}`,
    `  ${windows} window${windows === 1 ? '' : 's'}: ${Object.entries(states)
      .map(([state, count]) => `${count} ${state}`)
      .join(', ')}`,
    `  read ${records.read} = published ${records.published} + invalid ${records.invalid} + unchanged ${records.unchanged}`,
    ...open.flatMap(({ window, state, counts, source, error }) => [
      `  ${state.padEnd(10)} ${window}, ${counts.read} records${source?.jobId ? `, job ${source.jobId}` : ''}`,
      ...(error ? [`             ${error.code}: ${redactText(error.message)}`] : []),
    ]),
  ]);
  return [...lines, ...behind];
}
