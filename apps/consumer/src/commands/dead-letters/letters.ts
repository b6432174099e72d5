import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  assertNamesKnown,
  countDeadLetters,
  encodeLetter,
  listDeadLetters,
  NO_ROUTE,
  purgeDeadLetters,
  recorded,
  replayDeadLetters,
  showDeadLetter,
  type DeadLetterDetails,
  type DeadLetterList,
  type DeadLetterStats,
  type LetterFilter,
  type Letters,
  type PurgeReport,
  type ReplayOptions,
  type ReplayReport,
} from '@genesys-kafka/dead-letters';
import type { KafkaClient } from '@genesys-kafka/kafka';
import { OperationalError, systemClock } from '@genesys-kafka/resilience';
import { groupPrefixOf, planRoutes, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import { outputFailed, printPieces } from '@genesys-kafka/runtime';
import { connectOptionalRegistry, SchemaIds } from '@genesys-kafka/schema-registry';
import { RecordReader, type TopicSize } from '@genesys-kafka/topics';
import { ConsumerError } from '../../errors.ts';
import { fitsTopic } from '../../forward/fits-topic.ts';
import { consumerSpecs, prepareConsumerTopics, type MoveTarget } from '../../forward/topics.ts';
import type { Settings } from '../../settings.ts';
import { describeFilter, type FilterFlags } from './filter-options.ts';
import { withLetters, type LetterSession } from './open-letters.ts';
import { knownControls } from '../operate.ts';
import { whoActs } from '../who-acts.ts';

export async function listLetters(session: LetterSession, flags: FilterFlags, limit: number): Promise<DeadLetterList> {
  return withLetters(session, flags, async ({ letters, filter }) => {
    const list = await listDeadLetters(letters, filter, limit);
    if (list.letters.length === 0) await assertNamesKnown(letters, filter, knownRoutes(session));
    return list;
  });
}

export async function showLetter(session: LetterSession, id: string): Promise<DeadLetterDetails> {
  return withLetters(session, {}, async ({ letters }) => showDeadLetter(letters, id));
}

export async function countLetters(session: LetterSession, flags: FilterFlags): Promise<DeadLetterStats> {
  return withLetters(session, flags, async ({ letters, filter }) => {
    const stats = await countDeadLetters(letters, filter);
    if (stats.letters === 0) await assertNamesKnown(letters, filter, knownRoutes(session));
    return stats;
  });
}

export type ReplayCommand = Pick<
  ReplayOptions,
  'perSecond' | 'max' | 'mostReplays' | 'againBeforeMs' | 'dryRun' | 'onProgress'
>;

export async function replayLetters(
  session: LetterSession,
  flags: FilterFlags,
  command: ReplayCommand,
): Promise<ReplayReport> {
  const { settings, log, signal } = session;
  const plans = planRoutes(settings);
  let replayed = 0;
  const onProgress = (count: number) => {
    replayed = count;
    command.onProgress(count);
  };
  return withLetters(session, flags, async ({ client, letters, filter, objects }) => {
    const { replays, deadLetters } = await (command.dryRun ? topicsAsTheyAre : prepareConsumerTopics)(client, settings);
    await tellPauses(session, client, plans);
    const registry = connectOptionalRegistry(settings);
    await registry?.check();
    const onFailure = (err: unknown) => log.warn({ err }, 'the registry does not tell a schema; asking again');
    const groupPrefix = groupPrefixOf(settings);
    const work = async () => {
      const report = await replayDeadLetters({
        ...{ ...command, onProgress },
        filter,
        client,
        plans,
        reader: new RecordReader(registry && new SchemaIds({ registry, clock: systemClock, onFailure })),
        transactionalId: `${groupPrefix}dead-letters.replay`,
        groupPrefix,
        topic: consumerSpecs(settings).deadLetters.name,
        deadLetters,
        objects,
        looksIn: flags.store,
        replays,
        takes: (record) => fitsTopic(record, replays.maxBytes, settings.kafka.compression),
        clock: systemClock,
        signal,
      });
      const met = report.replayed + report.alreadyReplayed + report.otherConnectors + sumOf(report.refused);
      if (met === 0) await assertNamesKnown(letters, filter, knownRoutes(session));
      return report;
    };
    const { perSecond, max, mostReplays, againBeforeMs } = command;
    const given = {
      ...flags,
      ...(againBeforeMs === undefined ? {} : { 'again-before': new Date(againBeforeMs).toISOString() }),
      rate: `${perSecond}/s`,
      ...(Number.isFinite(max) ? { max } : {}),
      ...(Number.isFinite(mostReplays) ? {} : { force: 'true' }),
    };
    return command.dryRun
      ? await work()
      : await recorded(
          { client, deadLetters, objects, signal },
          { action: 'replay', by: whoActs(), filter: describeFilter(given) },
          work,
          ({ alreadyReplayed, refused }) => ({ replayed, alreadyReplayed, refused: sumOf(refused) }),
          () => ({ replayed }),
        );
  });
}

export async function purgeLetters(session: LetterSession, flags: FilterFlags, dryRun: boolean): Promise<PurgeReport> {
  const { settings, signal } = session;
  return withLetters(session, flags, async ({ client, letters, filter, objects }) => {
    const topic = consumerSpecs(settings).deadLetters.name;
    const from = flags.store === 'topic' ? undefined : objects;
    const work = async () => {
      const report = await purgeDeadLetters({ client, letters, topic, objects: from, filter, dryRun, signal });
      if (report.purged === 0) await assertNamesKnown(letters, filter, knownRoutes(session));
      return report;
    };
    return dryRun
      ? await work()
      : await recorded(
          { client, deadLetters: await topicOf(client, topic), objects, signal },
          { action: 'purge', by: whoActs(), filter: describeFilter({ ...flags }) },
          work,
          ({ purged, marked, deleted }) => ({ purged, marked, deleted }),
        );
  });
}

export interface ExportReport {
  readonly exported: number;
  readonly unreadable: number;
  /** Absent for stdout. */
  readonly file?: string;
}

/** To stdout, or to a file that is there once it is whole. */
export async function exportLetters(session: LetterSession, flags: FilterFlags, file?: string): Promise<ExportReport> {
  const { settings, signal, json = false } = session;
  if (json && file === undefined) {
    throw new ConsumerError('export-two-documents', 'Dead letters and a JSON report cannot both go to stdout.');
  }
  return withLetters(session, flags, async ({ client, letters, filter, objects }) => {
    const deadLetters = await topicOf(client, consumerSpecs(settings).deadLetters.name);
    const whenNone = async () => assertNamesKnown(letters, filter, knownRoutes(session));
    return await recorded(
      { client, deadLetters, objects, signal },
      { action: 'export', by: whoActs(), filter: describeFilter({ ...flags }) },
      async () => writeLetters(letters, { filter, whenNone, file, signal }),
      ({ exported }) => ({ exported }),
    );
  });
}

async function writeLetters(
  letters: Letters,
  {
    filter,
    whenNone,
    file,
    signal,
  }: {
    readonly filter: LetterFilter;
    /** Before a file of an earlier export gives way to an empty one. */
    readonly whenNone: () => Promise<void>;
    readonly file: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<ExportReport> {
  let exported = 0;
  async function* lines() {
    for await (const letter of letters.walk(filter)) {
      yield encodeLetter({ key: letter.key, value: letter.value(), headers: letter.headers() });
      yield '\n';
      exported += 1;
    }
  }
  if (file === undefined) {
    await printPieces(lines(), signal);
    if (exported === 0) await whenNone();
    return { exported, unreadable: letters.unreadable };
  }
  // Another export may be writing the same file: the last one to end counts, and each is whole.
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    // Whole records, with personal data.
    await pipeline(Readable.from(lines()), createWriteStream(partial, { mode: 0o600 }), { signal });
    if (exported === 0) await whenNone();
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    // Of the file system: what else fails here tells for itself.
    if (error instanceof OperationalError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw outputFailed(file, error as NodeJS.ErrnoException);
  }
  return { exported, unreadable: letters.unreadable, file };
}

/** For a dry run, which makes no topics. */
async function topicsAsTheyAre(client: KafkaClient, settings: Settings): Promise<ReplayTopics> {
  const { replays, deadLetters } = consumerSpecs(settings);
  const found = await client.admin.describeTopic(replays.name);
  const { partitions, config } = { ...replays, ...found };
  const maxBytes = Number({ ...replays.config, ...config }['max.message.bytes']);
  return {
    replays: { topic: replays.name, partitions, maxBytes },
    deadLetters: settings.deadLetters.topic ? await topicOf(client, deadLetters.name) : undefined,
  };
}

interface ReplayTopics {
  readonly replays: MoveTarget;
  readonly deadLetters: TopicSize | undefined;
}

/** What is replayed to a paused route waits, and its topic does not keep it for ever. */
async function tellPauses(session: LetterSession, client: KafkaClient, plans: readonly RoutePlan[]): Promise<void> {
  const controls = await knownControls(session, client);
  for (const { name, groupId } of plans) {
    const pause = controls?.pauseOf(groupId);
    if (pause === undefined) continue;
    const facts = { route: name, since: pause.at, by: pause.by };
    session.log.warn(
      facts,
      'the route is paused: what is replayed to it waits, until it is resumed or retention deletes it',
    );
  }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function knownRoutes({ settings }: LetterSession): string[] {
  return [...settings.routes.map(({ name }) => name), UNROUTED, NO_ROUTE];
}

/** Undefined where there is none. */
async function topicOf({ admin }: KafkaClient, topic: string): Promise<TopicSize | undefined> {
  const found = await admin.describeTopic(topic);
  return found && { topic, partitions: found.partitions };
}
