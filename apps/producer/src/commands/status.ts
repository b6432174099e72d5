import { createKafkaClient } from '@genesys-kafka/kafka';
import { readLedger, summarise, type ExportStatus } from '@genesys-kafka/ledger';
import { createLogger, printJson, redactText } from '@genesys-kafka/runtime';
import { topicSpecs } from '@genesys-kafka/topics';
import { readSettings } from '../config.ts';
import { kafkaOptions } from '../export/context.ts';
import type { Common } from './session.ts';

/** `producer status`: what the committed ledger says of this connector's exports. Changes nothing, claims nothing. */
export async function statusCommand(common: Common, signal: AbortSignal): Promise<number> {
  const settings = readSettings(common.config);
  const log = createLogger({ name: 'producer', level: settings.log.level });
  const client = createKafkaClient(kafkaOptions(settings, log));
  try {
    const { ledger } = topicSpecs({ prefix: settings.kafka.topicPrefix });
    const { entries, hidden } = await readLedger(client, ledger.name, signal);
    const exports = summarise(entries.filter((entry) => entry.connector === settings.connector));
    if (common.json) await printJson({ connector: settings.connector, hidden, exports });
    else process.stdout.write(statusText(settings.connector, exports) + hiddenText(hidden));
    return 0;
  } finally {
    await client.close();
  }
}

function hiddenText(hidden: number): string {
  return hidden === 0 ? '' : `${hidden} offsets lie behind a transaction that is still open; ask again in a minute.\n`;
}

function statusText(connector: string, exports: readonly ExportStatus[]): string {
  if (exports.length === 0) return `Nothing in the ledger for connector ${connector}.\n`;
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
  return `${lines.join('\n')}\n`;
}
