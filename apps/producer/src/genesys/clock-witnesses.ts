import { clockSkewMs, type TimedAnswer } from '@genesys-kafka/http';
import type { CheckResult } from '@genesys-kafka/runtime';
import { clockSkew } from '../errors.ts';
import type { Settings } from '../settings.ts';

/** Keeps what the first answer of each server says of our clock, for one verdict on all of them at the end. */
export class ClockWitnesses {
  readonly #seen = new Map<string, { readonly skewMs: number | undefined; readonly atMs: number }>();

  readonly see = (answer: TimedAnswer): void => {
    if (this.#seen.has(answer.host)) return;
    this.#seen.set(answer.host, { skewMs: clockSkewMs(answer), atMs: answer.receivedMs });
  };

  /** Raises `clock-skew` of the server that is furthest away; one without a date that can be read is no witness. */
  verdict({ clock }: Pick<Settings, 'clock'>): Omit<CheckResult, 'check'> {
    const hosts = [...this.#seen].map(([host, { skewMs, atMs }]) => ({ host, skewMs, atMs }));
    const dated = hosts.flatMap((one) => (one.skewMs === undefined ? [] : [{ ...one, skewMs: one.skewMs }]));
    const [furthest] = dated.toSorted((a, b) => Math.abs(b.skewMs) - Math.abs(a.skewMs));
    if (!furthest) return { status: 'skipped', message: 'no server answered with a date' };
    const { host, skewMs, atMs } = furthest;
    if (Math.abs(skewMs) > clock.maxSkewMs) throw clockSkew(host, atMs, skewMs, clock.maxSkewMs);
    const agreed = `within ${Math.ceil(Math.abs(skewMs) / 1000)} s of ${dated.map((one) => one.host).join(', ')}`;
    const silent = hosts.filter((one) => one.skewMs === undefined).map((one) => one.host);
    if (silent.length === 0) return { status: 'ok', message: agreed };
    return { status: 'warning', message: `${agreed}; no Date that can be read from ${silent.join(', ')}` };
  }
}
