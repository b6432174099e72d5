import type { RouteControls } from './route-controls.ts';
import type { OpenSinks } from '../route/open-sinks.ts';

/** What is on purpose, or waited out: shown beside readiness, which it does not change. */
export interface RunStatus {
  readonly paused: readonly {
    readonly route: string;
    readonly since: string;
    readonly by: string;
    readonly reason?: string;
  }[];
  readonly circuits: readonly {
    readonly sink: string;
    readonly state: 'open' | 'half-open';
    readonly cause: string;
    readonly reason: string;
    readonly nextProbeSeconds: number;
  }[];
}

export function runStatus(
  routes: readonly { readonly route: string; readonly groupId: string }[],
  controls: Pick<RouteControls, 'pauseOf'>,
  sinks: Pick<OpenSinks, 'byName'>,
): RunStatus {
  const paused = routes.flatMap(({ route, groupId }) => {
    const pause = controls.pauseOf(groupId);
    if (!pause) return [];
    const { at: since, by, reason } = pause;
    return [{ route, since, by, ...(reason === undefined ? {} : { reason }) }];
  });
  const circuits = [...sinks.byName].flatMap(([sink, { gate }]) => {
    const { state, trouble } = gate;
    if (state === 'closed' || !trouble) return [];
    const { cause, reason } = trouble.failure;
    return [{ sink, state, cause, reason, nextProbeSeconds: Math.ceil(trouble.nextProbeInMs / 1000) }];
  });
  return { paused, circuits };
}
