import { connectKafka, type KafkaClient } from '@genesys-kafka/kafka';
import { systemClock } from '@genesys-kafka/resilience';
import { groupIdOf, owns, ownsOrphan, planRoutes, UNROUTED, type RouteStart } from '@genesys-kafka/routing';
import type { Session } from '@genesys-kafka/runtime';
import { startToCome } from '../control/choose-starts.ts';
import type { PauseEntry } from '../control/control-entry.ts';
import { drainLines, drainReport, isDrained, type ReportedRoute } from '../control/drain-report.ts';
import { RouteControls } from '../control/route-controls.ts';
import { ConsumerError } from '../errors.ts';
import { ownerOf } from '../forward/delivery-state.ts';
import { leftoverRetries } from '../forward/leftover-retries.ts';
import { consumerSpecs } from '../forward/topics.ts';
import type { Settings } from '../settings.ts';
import { whoActs } from './who-acts.ts';

/** What is left, and therefore not done. */
const LEFT = 3;

export interface PauseFlags {
  readonly reason?: string;
  readonly by?: string;
}

/** `consumer pause ROUTE` and `consumer resume ROUTE`. */
export async function pauseCommand(
  session: Session<Settings>,
  route: string,
  { reason, by = whoActs() }: PauseFlags,
  state: PauseEntry['state'],
): Promise<number> {
  const { settings, log, signal } = session;
  const groupId = groupIdOf(settings, knownRoute(settings, route));
  const client = connectKafka(settings, log);
  try {
    const controls = await openControls(session, client);
    const earlier = controls.pauseOf(groupId);
    const at = new Date(systemClock.nowMs()).toISOString();
    const pause = { state, at, by, ...(reason === undefined ? {} : { reason }) };
    const isChanged = state === 'paused' || earlier !== undefined;
    if (isChanged) await controls.write({ kind: 'pause', groupId, pause });
    signal.throwIfAborted();
    const before = earlier && { at: earlier.at, by: earlier.by, reason: earlier.reason };
    await session.tell({ route, group: groupId, ...pause, changed: isChanged, ...(before && { before }) }, () => [
      !isChanged ? `${route} is not paused` : state === 'paused' ? `${route} is paused` : `${route} goes on`,
      ...(before
        ? [`  it was paused since ${before.at}, by ${before.by}${before.reason ? `: ${before.reason}` : ''}`]
        : []),
    ]);
    return 0;
  } finally {
    await client.close();
  }
}

/** `consumer drain-report`: changes nothing. */
export async function drainReportCommand(session: Session<Settings>): Promise<number> {
  const { settings, log, signal } = session;
  const plans = planRoutes(settings);
  const { main, retries, replays } = consumerSpecs(settings);
  const client = connectKafka(settings, log);
  try {
    const { admin } = client;
    const known = await knownControls(session, client);
    const reported = async (
      route: string,
      isOwner: ReportedRoute['owns'],
      from?: RouteStart,
    ): Promise<ReportedRoute> => {
      const groupId = groupIdOf(settings, route);
      const ports = { admin, controls: known, mainTopic: main.name };
      const start = known?.startOf(groupId)?.offsets ?? (await startToCome({ groupId, from }, ports));
      return {
        route,
        groupId,
        owns: isOwner,
        paused: known?.pauseOf(groupId) !== undefined,
        startOf: (target) => (target.topic === main.name ? start?.get(target.partition) : undefined),
      };
    };
    const fromOf = new Map(settings.routes.map(({ name, from }) => [name, from]));
    const routes = await Promise.all([
      ...plans.map((plan) => reported(plan.name, (record) => owns(plan, ownerOf(record)), fromOf.get(plan.name))),
      reported(UNROUTED, (record) => ownsOrphan(settings, ownerOf(record))),
    ]);
    const own = [main, ...retries, replays].map(({ name }) => name);
    const topics = [...own, ...(await leftoverRetries(admin, settings))];
    const there = await Promise.all(topics.map(async (name) => admin.describeTopic(name)));
    const existing = topics.filter((_, index) => there[index] !== undefined);
    const report = await drainReport({ client, routes, topics: existing, clock: systemClock, signal });
    await session.tell(report, drainLines);
    return isDrained(report) ? 0 : LEFT;
  } finally {
    await client.close();
  }
}

type Asking = Pick<Session<Settings>, 'settings' | 'log' | 'signal'>;

/** What was said of pauses and starts; undefined where nothing was ever said. */
export async function knownControls(session: Asking, client: KafkaClient): Promise<RouteControls | undefined> {
  const { controls } = consumerSpecs(session.settings);
  return (await client.admin.describeTopic(controls.name)) && openControls(session, client);
}

async function openControls({ settings, log, signal }: Asking, client: KafkaClient): Promise<RouteControls> {
  const { controls: topic } = consumerSpecs(settings);
  const onTrouble = (err: unknown) => log.warn({ err }, 'the topic of pauses cannot be read');
  return RouteControls.open({ client, topic, signal, clock: systemClock, onTrouble });
}

function knownRoute({ routes }: Settings, route: string): string {
  const names = [...routes.map(({ name }) => name), UNROUTED];
  if (names.includes(route)) return route;
  throw new ConsumerError(
    'route-unknown',
    `There is no route ${JSON.stringify(route)}; there are ${names.join(', ')}.`,
  );
}
