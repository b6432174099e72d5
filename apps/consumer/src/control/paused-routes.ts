import type { Logger } from '@genesys-kafka/runtime';
import { ConsumerError } from '../errors.ts';
import type { ConsumerMetrics } from '../route/consumer-metrics.ts';
import type { RouteControls } from './route-controls.ts';

/** A route as it can be paused. */
export interface PausableRoute {
  readonly route: string;
  readonly groupId: string;
  pauseChanged(): void;
}

/** Has routes follow what operators say, and tells of each change. */
export function followPauses(
  routes: readonly PausableRoute[],
  {
    controls,
    metrics,
    log,
  }: {
    readonly controls: Pick<RouteControls, 'pauseOf' | 'onPause'>;
    readonly metrics: Pick<ConsumerMetrics, 'pausedIs'>;
    readonly log: Logger;
  },
): void {
  const tell = ({ route, groupId }: PausableRoute) => {
    const pause = controls.pauseOf(groupId);
    metrics.pausedIs(route, pause !== undefined);
    if (pause) log.warn({ route, since: pause.at, by: pause.by, why: pause.reason }, 'the route is paused by hand');
    return pause !== undefined;
  };
  const paused = new Map(routes.map((one) => [one.groupId, tell(one)]));
  controls.onPause((groupId) => {
    for (const one of routes.filter((each) => each.groupId === groupId)) {
      const was = paused.get(groupId);
      const is = tell(one);
      paused.set(groupId, is);
      if (was && !is) log.info({ route: one.route }, 'the route goes on');
      one.pauseChanged();
    }
  });
}

/** Rejects with `route-paused` as soon as a route is: it would never be drained. */
export async function untilPaused(
  routes: readonly Pick<PausableRoute, 'route' | 'groupId'>[],
  controls: Pick<RouteControls, 'pauseOf' | 'onPause'>,
): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const look = () => {
    for (const { route, groupId } of routes) {
      const pause = controls.pauseOf(groupId);
      if (pause)
        reject(new ConsumerError('route-paused', `Route ${route} is paused since ${pause.at}, by ${pause.by}.`));
    }
  };
  look();
  controls.onPause(look);
  return promise;
}
