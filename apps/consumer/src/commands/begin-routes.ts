import type { KafkaClient } from '@genesys-kafka/kafka';
import { retry, type Clock } from '@genesys-kafka/resilience';
import type { Logger } from '@genesys-kafka/runtime';
import { chooseStarts } from '../control/choose-starts.ts';
import { RouteControls } from '../control/route-controls.ts';
import { consumerSpecs } from '../forward/topics.ts';
import { findRulesApart, newRoutes, placesInForce } from '../group/rules-in-force.ts';
import type { Settings } from '../settings.ts';

export interface BeginOptions {
  readonly client: KafkaClient;
  readonly settings: Settings;
  /** The main topic first, then the retry topics. */
  readonly topics: readonly [string, ...string[]];
  readonly acceptRules: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Beginning {
  readonly controls: RouteControls;
  /** Routes that are new beyond doubt. */
  readonly fresh: ReadonlySet<string>;
}

/** A cluster that was never asked for a group makes its coordinators first: half a minute, at most a few. */
const COORDINATORS_START = { attempts: 12, backoff: { initialMs: 500, factor: 2, maxMs: 5000, jitterMs: 200 } };

/**
 * What has to be known before any route begins: whether changed rules may be followed, which routes are paused, and
 * where new ones begin. Rejects with `rules-changed` where they may not, unless that is accepted.
 */
export async function beginRoutes(options: BeginOptions): Promise<Beginning> {
  const { client, settings, topics, acceptRules, log, clock, signal } = options;
  const inForce = { client, settings, topics, signal };
  const patience = { ...COORDINATORS_START, signal, clock };
  const places = await retry(async () => placesInForce(inForce), patience);
  const apart = await retry(async () => findRulesApart(inForce, places), patience);
  if (apart && !acceptRules) throw apart;
  if (apart) log.error({ err: apart }, 'rules were changed; going on as asked');
  const controls = await RouteControls.open({
    client,
    topic: consumerSpecs(settings).controls,
    signal,
    clock,
    onTrouble: (err) => log.warn({ err }, 'pauses cannot be read; what is known stays in force'),
  });
  const { admin } = client;
  const begun = await chooseStarts(settings, { admin, controls, mainTopic: topics[0], log, clock });
  return { controls, fresh: newRoutes(settings, places).union(begun) };
}
