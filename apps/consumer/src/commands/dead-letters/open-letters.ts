import {
  connectLetterPlace,
  Letters,
  marksOnly,
  ObjectLetters,
  openTopicLetters,
  type LetterFilter,
  type LetterPlace,
} from '@genesys-kafka/dead-letters';
import { connectKafka, type KafkaClient } from '@genesys-kafka/kafka';
import { ConfigError, type Logger } from '@genesys-kafka/runtime';
import { consumerSpecs } from '../../forward/topics.ts';
import type { Settings } from '../../settings.ts';
import { filterOf, type FilterFlags } from './filter-options.ts';

export interface LetterSession {
  readonly settings: Settings;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly json?: boolean;
}

interface OpenStores {
  readonly client: KafkaClient;
  readonly letters: Letters;
  /** Which of them are meant. */
  readonly filter: LetterFilter;
  readonly objects: LetterPlace | undefined;
  readonly objectLetters: ObjectLetters | undefined;
}

/**
 * The topic is looked at where it exists, whether dead letters still go there or not. Those on which --where fails are
 * told at the end.
 */
export async function withLetters<T>(
  { settings, log, signal }: LetterSession,
  flags: FilterFlags,
  use: (stores: OpenStores) => Promise<T>,
): Promise<T> {
  const { store } = flags;
  const failures = new Map<string, string>();
  const filter = filterOf(flags, ({ id }, reason) => failures.set(id, reason));
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
  const done = await use({
    ...{ client, letters, filter, objects },
    objectLetters: store === 'topic' ? undefined : objectLetters,
  });
  const [[example, reason] = []] = failures;
  if (failures.size > 0)
    log.warn({ deadLetters: failures.size, example, reason }, '--where fails on dead letters, which are left out');
  return done;
}
