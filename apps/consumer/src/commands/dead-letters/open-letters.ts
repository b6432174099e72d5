import {
  connectLetterPlace,
  Letters,
  marksOnly,
  ObjectLetters,
  openTopicLetters,
  type LetterPlace,
} from '@genesys-kafka/dead-letters';
import { connectKafka, type KafkaClient } from '@genesys-kafka/kafka';
import { ConfigError, type Logger } from '@genesys-kafka/runtime';
import { consumerSpecs } from '../../forward/topics.ts';
import type { Settings } from '../../settings.ts';
import type { FilterFlags } from './filter-options.ts';

export interface LetterSession {
  readonly settings: Settings;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly json?: boolean;
}

interface OpenStores {
  readonly client: KafkaClient;
  readonly letters: Letters;
  readonly objects: LetterPlace | undefined;
  readonly objectLetters: ObjectLetters | undefined;
}

/** The topic is looked at where it exists, whether dead letters still go there or not. */
export async function withLetters<T>(
  { settings, log, signal }: LetterSession,
  { store }: FilterFlags,
  use: (stores: OpenStores) => Promise<T>,
): Promise<T> {
  await using closing = new AsyncDisposableStack();
  const client = closing.adopt(connectKafka(settings, log), async (one) => one.close());
  const { objects: named } = settings.deadLetters;
  if (store === 'objects' && !named) {
    throw new ConfigError([
      { path: 'deadLetters.objects', problem: 'is not set, and --store objects looks there', fix: 'set its bucket' },
    ]);
  }
  const objects = named && closing.use(await connectLetterPlace(named, settings.proxy));
  const objectLetters = objects && new ObjectLetters(objects, signal);
  const topic = await openTopicLetters(client, consumerSpecs(settings).deadLetters.name, signal);
  // Marks are read in both: what is replayed from one store is replayed.
  const letters = new Letters([
    ...(store === 'objects' ? [marksOnly(topic)] : [topic]),
    ...(objectLetters ? [store === 'topic' ? marksOnly(objectLetters) : objectLetters] : []),
  ]);
  return await use({ client, letters, objects, objectLetters: store === 'topic' ? undefined : objectLetters });
}
