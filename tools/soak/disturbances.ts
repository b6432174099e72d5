import { seededRandom, type Timed } from '@genesys-kafka/testing';
import type { FaultRule } from '../src/living/simulator-process.ts';

export type Disturbance =
  /** SIGKILL, and a new process some time later. */
  | { readonly kind: 'kill'; readonly whom: number; readonly forMs: number }
  /** SIGSTOP, and SIGCONT some time later: longer than a session of the group, or a transaction, lasts. */
  | { readonly kind: 'pause'; readonly whom: number; readonly forMs: number }
  /** SIGTERM, and a new process some time later. */
  | { readonly kind: 'leave'; readonly whom: number; readonly forMs: number }
  /** One process more, stopped by SIGTERM some time later. */
  | { readonly kind: 'join'; readonly forMs: number }
  /** The client's credentials are taken away for a time. */
  | { readonly kind: 'revoke'; readonly forMs: number }
  | { readonly kind: 'fault'; readonly rule: FaultRule };

/** `count` disturbances over a span of time, one in each equal part of it; they follow from seed and faults alone. */
export function planDisturbances(
  seed: number,
  count: number,
  overMs: number,
  faults: readonly FaultRule[],
): readonly Timed<Disturbance>[] {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => Math.round(low + random() * (high - low));
  return Array.from({ length: count }, (_, n) => {
    const atMs = Math.round(((n + random()) / count) * overMs);
    const share = random();
    const whom = between(0, 0xffff);
    if (share < 0.4) return { atMs, what: { kind: 'kill', whom, forMs: between(0, 3000) } };
    if (share < 0.6) return { atMs, what: { kind: 'pause', whom, forMs: between(1000, 45_000) } };
    if (share < 0.7) return { atMs, what: { kind: 'leave', whom, forMs: between(0, 3000) } };
    if (share < 0.8) return { atMs, what: { kind: 'join', forMs: between(10_000, 60_000) } };
    if (share < 0.83) return { atMs, what: { kind: 'revoke', forMs: between(2000, 15_000) } };
    return { atMs, what: { kind: 'fault', rule: faults[between(0, faults.length - 1)]! } };
  });
}
