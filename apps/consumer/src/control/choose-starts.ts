import type { KafkaAdmin } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { groupIdOf, type RouteStart, type RoutingSettings } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import { ConsumerError } from '../errors.ts';
import type { RouteControls } from './route-controls.ts';

export interface StartsOptions {
  readonly admin: Pick<KafkaAdmin, 'offsets' | 'offsetsAt' | 'groupCommits'>;
  readonly controls: Pick<RouteControls, 'startOf' | 'write' | 'catchUp'>;
  readonly mainTopic: string;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Records where routes with a `from` of their own begin, before they do: an offset that was never committed would
 * otherwise be looked for anew with each start, and what came in between would be passed over. Counts once: a group
 * that has offsets, or whose start is recorded, is left where it is, also after its offsets have expired. Resolves with
 * the routes that begin now; rejects with `route-start-ahead` where one would at a moment that has not come.
 */
export async function chooseStarts(settings: RoutingSettings, options: StartsOptions): Promise<ReadonlySet<string>> {
  const { controls, log, clock } = options;
  const begun = new Set<string>();
  for (const { name, from = 'earliest' } of settings.routes) {
    const groupId = groupIdOf(settings, name);
    const offsets = await startToCome({ groupId, from }, options);
    if (!offsets) continue;
    const text = from === 'latest' ? from : new Date(from).toISOString();
    if (typeof from === 'number' && from > clock.nowMs())
      throw new ConsumerError('route-start-ahead', `Route ${name} begins at ${text}, which has not come.`);
    const at = new Date(clock.nowMs()).toISOString();
    await controls.write({ kind: 'start', groupId, start: { from: text, at, offsets } });
    begun.add(name);
    log.info({ route: name, from: text }, 'a new route begins here; recorded, so that it counts once');
  }
  // Another process may have been faster: its word counts for both.
  if (begun.size > 0) await controls.catchUp();
  return begun;
}

/** Where a route with a `from` of its own would begin now; undefined where that has been decided. */
export async function startToCome(
  { groupId, from = 'earliest' }: { readonly groupId: string; readonly from?: RouteStart | undefined },
  {
    admin,
    controls,
    mainTopic,
  }: Pick<StartsOptions, 'admin' | 'mainTopic'> & { readonly controls: Pick<RouteControls, 'startOf'> | undefined },
): Promise<ReadonlyMap<number, bigint> | undefined> {
  if (from === 'earliest' || controls?.startOf(groupId)) return undefined;
  if ((await admin.groupCommits(groupId, mainTopic)).size > 0) return undefined;
  if (typeof from === 'number') return admin.offsetsAt(mainTopic, from);
  return new Map((await admin.offsets(mainTopic)).map(({ partition, end }) => [partition, end]));
}
