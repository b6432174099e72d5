import {
  connectLetterPlace,
  countDeadLetters,
  Letters,
  type LetterFilter,
  type LetterPlace,
  listDeadLetters,
  ObjectLetters,
  openTopicLetters,
  replayDeadLetters,
  type ReplayOptions,
  showDeadLetter,
  type DeadLetterDetails,
  type DeadLetterList,
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

export async function listLetters(session: Session, filter: LetterFilter, limit: number): Promise<DeadLetterList> {
  return withLetters(session, async (letters) => listDeadLetters(letters, filter, limit));
}

export async function showLetter(session: Session, id: string): Promise<DeadLetterDetails> {
  return withLetters(session, async (letters) => showDeadLetter(letters, id));
}

export async function countLetters(session: Session, filter: LetterFilter): Promise<DeadLetterStats> {
  return withLetters(session, async (letters) => countDeadLetters(letters, filter));
}

export type ReplayCommand = Pick<
  ReplayOptions,
  'filter' | 'perSecond' | 'max' | 'mostReplays' | 'dryRun' | 'onProgress'
>;

export async function replayLetters(session: Session, command: ReplayCommand): Promise<ReplayReport> {
  const { settings, log, signal } = session;
  const plans = planRoutes(settings);
  return withStores(session, async (client, objects) => {
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
      topic: consumerSpecs(settings).deadLetters.name,
      deadLetters,
      objects,
      firstRetry: retries[0]!,
      clock: systemClock,
      signal,
    });
  });
}

/** What both stores hold; the topic is read where it exists, whether dead letters still go there or not. */
async function withLetters<T>(session: Session, use: (letters: Letters) => Promise<T>): Promise<T> {
  const { settings, signal } = session;
  const { name } = consumerSpecs(settings).deadLetters;
  return withStores(session, async (client, place) => {
    const topic = await openTopicLetters(client, name, signal);
    return use(new Letters([topic, ...(place ? [new ObjectLetters(place, signal)] : [])]));
  });
}

async function withStores<T>(
  { settings, log }: Session,
  use: (client: KafkaClient, objects: LetterPlace | undefined) => Promise<T>,
): Promise<T> {
  await using closing = new AsyncDisposableStack();
  const client = closing.adopt(connectKafka(settings, log), async (one) => one.close());
  const { objects } = settings.deadLetters;
  return await use(client, objects && closing.use(await connectLetterPlace(objects, settings.proxy)));
}
