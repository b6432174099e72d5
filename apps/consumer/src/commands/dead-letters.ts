import {
  countDeadLetters,
  listDeadLetters,
  openDeadLetterLog,
  replayDeadLetters,
  showDeadLetter,
  type DeadLetterDetails,
  type DeadLetterFilter,
  type DeadLetterList,
  type DeadLetterLog,
  type DeadLetterStats,
  type ReplayReport,
} from '@genesys-kafka/dead-letters';
import { connectKafka, type KafkaClient } from '@genesys-kafka/kafka';
import { systemClock } from '@genesys-kafka/resilience';
import { groupPrefixOf, planRoutes } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import { connectOptionalRegistry, SchemaIds } from '@genesys-kafka/schema-registry';
import { RecordReader } from '@genesys-kafka/topics';
import { consumerSpecs, prepareConsumerTopics } from '../forward/topics.ts';
import type { Settings } from '../settings.ts';

interface Session {
  readonly settings: Settings;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export async function listLetters(session: Session, filter: DeadLetterFilter, limit: number): Promise<DeadLetterList> {
  return withLog(session, async (log) => listDeadLetters(log, filter, limit));
}

export async function showLetter(session: Session, id: string): Promise<DeadLetterDetails> {
  return withLog(session, async (log) => showDeadLetter(log, id));
}

export async function countLetters(session: Session, filter: DeadLetterFilter): Promise<DeadLetterStats> {
  return withLog(session, async (log) => countDeadLetters(log, filter));
}

export interface ReplayCommand {
  readonly filter: DeadLetterFilter;
  readonly perSecond: number;
  readonly dryRun: boolean;
  readonly onProgress: (replayed: number) => void;
}

export async function replayLetters(session: Session, command: ReplayCommand): Promise<ReplayReport> {
  const { settings, log, signal } = session;
  const plans = planRoutes(settings);
  return withClient(session, async (client) => {
    const { retries, deadLetters } = await prepareConsumerTopics(client, settings);
    const registry = connectOptionalRegistry(settings);
    await registry?.check();
    const onFailure = (err: unknown) => log.warn({ err }, 'the registry does not tell a schema; asking again');
    const groupPrefix = groupPrefixOf(settings);
    return replayDeadLetters({
      ...command,
      client,
      plans,
      reader: new RecordReader(registry && new SchemaIds({ registry, clock: systemClock, onFailure })),
      transactionalId: `${groupPrefix}dead-letters.replay`,
      groupPrefix,
      deadLetters,
      firstRetry: retries[0]!,
      clock: systemClock,
      signal,
    });
  });
}

async function withLog<T>(session: Session, use: (log: DeadLetterLog) => Promise<T>): Promise<T> {
  const { name } = consumerSpecs(session.settings).deadLetters;
  return withClient(session, async (client) => use(await openDeadLetterLog(client, name, session.signal)));
}

async function withClient<T>({ settings, log }: Session, use: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = connectKafka(settings, log);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
