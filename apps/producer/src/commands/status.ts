import { connectKafka } from '@genesys-kafka/kafka';
import { readLedger, summarise } from '@genesys-kafka/ledger';
import { systemClock } from '@genesys-kafka/resilience';
import type { Session } from '@genesys-kafka/runtime';
import { topicSpecs } from '@genesys-kafka/topics';
import { runStatus } from '../run/run-status.ts';
import type { Settings } from '../settings.ts';
import { statusLines } from './status-lines.ts';

/**
 * `producer status`: what the committed ledger says of this connector's exports, and of what `run` has made of the
 * organisation. Changes nothing, claims nothing. 3 where an interval of it failed or is missing.
 */
export async function statusCommand(session: Session<Settings>): Promise<number> {
  const { settings, log, signal } = session;
  const { connector, kafka, windows } = settings;
  const client = connectKafka(settings, log);
  try {
    const { ledger } = topicSpecs({ prefix: kafka.topicPrefix });
    const { entries, hidden } = await readLedger(client, ledger.name, signal);
    const own = entries.filter((line) => line.connector === connector);
    const exports = summarise(own.filter((line) => line.kind === 'window'));
    const run = runStatus(connector, own, windows.rereads, systemClock.nowMs());
    await session.tell({ connector, hidden, ...(run ? { run } : {}), exports }, statusLines);
    const isWhole = !run || run.windows.failed + run.windows.missing === 0;
    return isWhole ? 0 : 3;
  } finally {
    await client.close();
  }
}
