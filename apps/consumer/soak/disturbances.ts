import { seededRandom, type Timed } from '@genesys-kafka/testing';
import { MOODS, type Mood } from './moody-target.ts';

export const PATHS = ['/crm', '/audit', '/ordered', '/bulk'] as const;
export const LINKS = ['http', 'storage', 'postgres'] as const;
export const ROUTES = ['crm', 'audit', 'ordered', 'bulk', 'table', 'lake', 'copy', 'log'] as const;

export type Disturbance =
  /** SIGKILL, and a new process some time later. */
  | { readonly kind: 'kill'; readonly whom: number; readonly forMs: number }
  /** SIGSTOP, and SIGCONT some time later: longer than a session of the group lasts, or not. */
  | { readonly kind: 'pause'; readonly whom: number; readonly forMs: number }
  /** SIGTERM, and a new process some time later. */
  | { readonly kind: 'leave'; readonly whom: number; readonly forMs: number }
  /** One process more, stopped by SIGTERM some time later. */
  | { readonly kind: 'join'; readonly forMs: number }
  | { readonly kind: 'mood'; readonly path: (typeof PATHS)[number]; readonly mood: Mood; readonly forMs: number }
  /** Between the consumers and a target: new connections refused, all reset, or nothing passes. */
  | {
      readonly kind: 'link';
      readonly link: (typeof LINKS)[number];
      readonly fault: 'refuse' | 'reset' | 'silent';
      readonly forMs: number;
    }
  | { readonly kind: 'postgres'; readonly forMs: number }
  | { readonly kind: 'broker'; readonly index: number; readonly forMs: number }
  /** A replay of the dead letters, which is killed some time later. */
  | { readonly kind: 'replay'; readonly forMs: number }
  | { readonly kind: 'route'; readonly route: (typeof ROUTES)[number]; readonly forMs: number };

/** `count` disturbances over a span of time, one in each equal part of it; they follow from the seed alone. */
export function planDisturbances(seed: number, count: number, overMs: number): readonly Timed<Disturbance>[] {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => Math.round(low + random() * (high - low));
  const one = <T>(among: readonly T[]) => among[between(0, among.length - 1)]!;
  return Array.from({ length: count }, (_, n) => {
    const atMs = Math.round(((n + random()) / count) * overMs);
    const share = random();
    const whom = between(0, 0xffff);
    if (share < 0.2) return { atMs, what: { kind: 'kill', whom, forMs: between(0, 3000) } };
    if (share < 0.35) return { atMs, what: { kind: 'pause', whom, forMs: between(1000, 20_000) } };
    if (share < 0.42) return { atMs, what: { kind: 'leave', whom, forMs: between(0, 3000) } };
    if (share < 0.5) return { atMs, what: { kind: 'join', forMs: between(5000, 30_000) } };
    if (share < 0.68)
      return { atMs, what: { kind: 'mood', path: one(PATHS), mood: one(MOODS), forMs: between(1000, 15_000) } };
    if (share < 0.82) {
      const fault = one(['refuse', 'reset', 'silent'] as const);
      return { atMs, what: { kind: 'link', link: one(LINKS), fault, forMs: between(1000, 15_000) } };
    }
    if (share < 0.88) return { atMs, what: { kind: 'postgres', forMs: between(0, 5000) } };
    if (share < 0.94) return { atMs, what: { kind: 'broker', index: between(0, 2), forMs: between(1000, 10_000) } };
    if (share < 0.96) return { atMs, what: { kind: 'replay', forMs: between(2000, 15_000) } };
    return { atMs, what: { kind: 'route', route: one(ROUTES), forMs: between(2000, 15_000) } };
  });
}
