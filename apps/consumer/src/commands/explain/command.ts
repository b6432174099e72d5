import { readLedger, type LedgerLine } from '@genesys-kafka/ledger';
import { systemClock } from '@genesys-kafka/resilience';
import { groupIdOf, planRoutes, UNROUTED } from '@genesys-kafka/routing';
import { topicSpecs } from '@genesys-kafka/topics';
import { explain, type Explanation } from './explain.ts';
import { leftoverRetries } from '../../forward/leftover-retries.ts';
import { consumerSpecs } from '../../forward/topics.ts';
import { knownControls } from '../operate.ts';
import { withLetters, type LetterSession } from '../dead-letters/open-letters.ts';

export interface ExplainFlags {
  /** Milliseconds. */
  readonly within: number;
  readonly payload?: boolean;
}

/** `consumer explain KEY`: changes nothing, joins no group. */
export async function explainCommand(session: LetterSession, key: string, flags: ExplainFlags): Promise<Explanation> {
  const { settings, signal } = session;
  const lettersUntil = AbortSignal.any([signal, AbortSignal.timeout(flags.within)]);
  return withLetters({ ...session, signal: lettersUntil }, {}, async ({ client, letters }) => {
    const { main, retries, replays } = consumerSpecs(settings);
    const leftovers = await leftoverRetries(client.admin, settings);
    const ledgerTopic = topicSpecs({ prefix: settings.kafka.topicPrefix }).ledger.name;
    const hasLedger = (await client.admin.describeTopic(ledgerTopic)) !== undefined;
    const ledger: readonly LedgerLine[] = hasLedger ? (await readLedger(client, ledgerTopic, signal)).entries : [];
    const controls = await knownControls(session, client);
    return explain(key, {
      client,
      main: main.name,
      retries: [...[...retries, replays].map(({ name }) => name), ...leftovers],
      replays: replays.name,
      plans: planRoutes(settings),
      unroutedGroup: groupIdOf(settings, UNROUTED),
      startOf: (group) => controls?.startOf(group)?.offsets,
      pauseOf: (group) => controls?.pauseOf(group),
      letters,
      lettersUntil,
      ledger,
      withPayload: flags.payload ?? false,
      withinMs: flags.within,
      clock: systemClock,
      signal,
    });
  });
}

export function explanationLines({ key, versions, otherLetters, read, notes }: Explanation): string[] {
  return [
    versions.length > 0
      ? `${key}: ${versions.length} on the topic`
      : `${key}: no record on the topic${otherLetters.length === 0 ? ', and no dead letter' : ''}`,
    ...versions.flatMap(({ topic, partition, offset, publishedAt, newest, origin, window, routes, payload }) => [
      '',
      `${topic}/${partition}/${offset}  published ${publishedAt}${newest && versions.length > 1 ? '  (the newest)' : ''}`,
      ...Object.entries(origin).map(([name, value]) => `  ${name}: ${String(value)}`),
      ...(window ? [`  window in the ledger: ${window.state} (${window.contract}, ${window.updatedAt})`] : []),
      ...routes.flatMap(({ route, sink, state, why, next }) => [
        `  ${route}${sink === undefined ? '' : ` → ${sink}`}: ${state}`,
        `    ${why}`,
        `    ${next}`,
      ]),
      ...(payload === undefined ? [] : [`  ${payload}`]),
    ]),
    ...(otherLetters.length > 0 ? ['', 'Other dead letters of the key:'] : []),
    ...otherLetters.map(({ id, timestamp, stage, cause, reason, replayedAt }) => {
      const replayed = replayedAt === undefined ? '' : ` (replayed ${replayedAt})`;
      return `  ${id}  ${timestamp}  ${stage} ${cause}: ${reason}${replayed}`;
    }),
    '',
    ...read.map(({ topic, partition, from, to, end }) => `read: ${topic}/${partition} from ${from} to ${to} of ${end}`),
    ...notes.map((note) => `note: ${note}`),
  ];
}
