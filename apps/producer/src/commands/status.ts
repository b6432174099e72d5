import { connectKafka } from '@genesys-kafka/kafka';
import { readLedger, summarise, type ExportStatus } from '@genesys-kafka/ledger';
import { redactText, type Session } from '@genesys-kafka/runtime';
import { topicSpecs } from '@genesys-kafka/topics';
import type { Settings } from '../settings.ts';
import { sumLine } from './report-lines.ts';

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
    const { entries, hidden } = await readLedger(client, ledger.name, signal);
    const exports = summarise(entries.filter((entry) => entry.connector === settings.connector));
    await session.tell({ connector: settings.connector, hidden, exports }, statusLines);
    return 0;
  } finally {
    await client.close();
  }
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
    `  ${sumLine(records)}`,
    ...open.flatMap(({ window, state, counts, source, error }) => [
      `  ${state.padEnd(10)} ${window}, ${counts.read} records${source?.jobId ? `, job ${source.jobId}` : ''}`,
      ...(error ? [`             ${error.code}: ${redactText(error.message)}`] : []),
    ]),
  ]);
  return [...lines, ...behind];
}
