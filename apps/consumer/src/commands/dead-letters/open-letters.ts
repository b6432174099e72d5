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
import { showObject } from '@genesys-kafka/object-store';
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
  readonly objects: (LetterPlace & { readonly letters: ObjectLetters }) | undefined;
}

/**
 * The topic is looked at where it exists, whether dead letters still go there or not. Those on which --where fails, and
 * objects that are damaged, are told at the end.
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
  const place = named && closing.use(await connectLetterPlace(named, settings.proxy));
  const objects = place && { ...place, letters: new ObjectLetters(place, signal) };
  const topic = await openTopicLetters(client, consumerSpecs(settings).deadLetters.name, signal);
  // Marks are read in both: what is replayed from one store is replayed.
  const letters = new Letters([
    ...(store === 'objects' ? [marksOnly(topic)] : [topic]),
    ...(objects ? [store === 'topic' ? marksOnly(objects.letters) : objects.letters] : []),
  ]);
  const done = await use({ client, letters, filter, objects });
  const [[example, reason] = []] = failures;
  if (failures.size > 0)
    log.warn({ deadLetters: failures.size, example, reason }, '--where fails on dead letters, which are left out');
  const [damaged] = objects?.letters.damaged ?? [];
  if (objects && damaged !== undefined) {
    const facts = { objects: objects.letters.damaged.size, example: showObject({ ...objects, key: damaged }) };
    log.warn(
      facts,
      'objects that cannot be unpacked are left out, with the dead letters in them: restore or delete them',
    );
  }
  return done;
}
