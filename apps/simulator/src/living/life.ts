import type { Kind } from '../conversations/plan.ts';
import type { Random } from '../conversations/random.ts';

/** Shares of conversations that something befalls after the fact, 0 … 1. */
export interface Fates {
  /** Not in the lake until hours after its end, although data of that time is said to be complete. */
  readonly late: number;
  /** Of messages and e-mails: opened again, up to 72 hours and 30 days later. */
  readonly reopened: number;
  /** Computed anew by a nightly run once 48 hours old. */
  readonly reprocessed: number;
  /** Evaluated (calls) or surveyed (the others), days or weeks later. */
  readonly reviewed: number;
  /** Deleted, which leaves no trace. */
  readonly vanished: number;
}

/** What happens to one conversation, from its start to the last change. ms since the epoch. */
export interface Life {
  readonly kind: Kind;
  readonly startMs: number;
  /** Calls are seen only begun and ended. */
  readonly answeredMs: number | undefined;
  readonly endMs: number;
  readonly reopenedMs: number | undefined;
  readonly endedAgainMs: number | undefined;
  readonly reprocessedMs: number | undefined;
  readonly reviewedMs: number | undefined;
  /** In the lake from its start, or late. */
  readonly visibleMs: number;
  readonly vanishedMs: number | undefined;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From its start a conversation ends for the last time within this: an e-mail of 5 days, opened 30 days later. */
export const LONGEST_MS = 37 * DAY;
/** The nightly run, of the day on which data is 48 hours old. */
const REPROCESSED_AFTER_MS = 48 * HOUR;
const NIGHT_MS = 2 * HOUR;

/** The share of an answered thread's first life that it waited, as in the texts. */
const WAITED = 0.2;

/**
 * Draws a life. Each fate takes the same numbers of the sequence whether it comes true or not, so that another share
 * of one leaves the others as they are.
 */
export function drawLife(random: Random, startMs: number, fates: Fates): Life {
  const kind = drawKind(random);
  const lengthMs = drawLengthMs(random, kind);
  const endMs = startMs + lengthMs;
  const reopens = random.chance(fates.reopened) && (kind === 'message' || kind === 'email');
  const pauseMs = random.between(10 * MINUTE, kind === 'email' ? 30 * DAY : 72 * HOUR);
  const againMs = random.between(5 * MINUTE, kind === 'email' ? 2 * DAY : 2 * HOUR);
  const reopenedMs = reopens ? endMs + pauseMs : undefined;
  const endedAgainMs = reopens ? endMs + pauseMs + againMs : undefined;
  const lastEndMs = endedAgainMs ?? endMs;
  const reprocesses = random.chance(fates.reprocessed);
  const nightMs = random.below(2 * HOUR);
  const reviews = random.chance(fates.reviewed);
  const reviewMs = random.between(DAY, 21 * DAY);
  const late = random.chance(fates.late);
  const lateMs = random.between(HOUR, 12 * HOUR);
  const vanishes = random.chance(fates.vanished);
  const vanishMs = random.between(DAY, 25 * DAY);
  return {
    kind,
    startMs,
    answeredMs: kind === 'call' ? undefined : startMs + Math.floor(lengthMs * WAITED),
    endMs,
    reopenedMs,
    endedAgainMs,
    reprocessedMs: reprocesses ? nightAfter(lastEndMs + REPROCESSED_AFTER_MS) + nightMs : undefined,
    reviewedMs: reviews ? lastEndMs + reviewMs : undefined,
    visibleMs: late ? endMs + lateMs : startMs,
    vanishedMs: vanishes ? lastEndMs + vanishMs : undefined,
  };
}

function drawKind(random: Random): Kind {
  const share = random.below(100);
  return share < 55 ? 'call' : share < 75 ? 'message' : share < 85 ? 'chat' : 'email';
}

/** Most are short; the few that last for days are in every interval of those days. */
const LONG_SHARES: Readonly<Record<Kind, number>> = { call: 0.02, message: 0.08, chat: 0, email: 0.1 };

function drawLengthMs(random: Random, kind: Kind): number {
  const isLong = random.chance(LONG_SHARES[kind]);
  switch (kind) {
    case 'call':
      return random.between(70_000, isLong ? 2 * HOUR : 25 * MINUTE);
    case 'message':
      return isLong ? random.between(HOUR, 72 * HOUR) : random.between(5 * MINUTE, 50 * MINUTE);
    case 'chat':
      return random.between(3 * MINUTE, 40 * MINUTE);
    case 'email':
      return isLong ? random.between(8 * HOUR, 5 * DAY) : random.between(20 * MINUTE, 8 * HOUR);
  }
}

/** The next 02:00 UTC. */
function nightAfter(ms: number): number {
  return Math.ceil((ms - NIGHT_MS) / DAY) * DAY + NIGHT_MS;
}

/** Whether the lake holds the conversation when it knows all before `cutMs`. */
export function isHeld(life: Life, cutMs: number): boolean {
  return life.visibleMs < cutMs && !(life.vanishedMs !== undefined && life.vanishedMs < cutMs);
}

/** Its end as it is known there; undefined while it is open, or open again. */
export function endKnownMs(life: Life, cutMs: number): number | undefined {
  if (life.endedAgainMs !== undefined && life.endedAgainMs < cutMs) return life.endedAgainMs;
  if (life.reopenedMs !== undefined && life.reopenedMs < cutMs) return undefined;
  return life.endMs < cutMs ? life.endMs : undefined;
}

export function lastEndMs(life: Life): number {
  return life.endedAgainMs ?? life.endMs;
}

export type Phase = 'begun' | 'answered' | 'ended' | 'reopened' | 'ended-again';

/** A state that differs from the one before in its bytes. */
export interface Version {
  /** It is in the lake once all before and this moment itself are. */
  readonly sinceMs: number;
  readonly phase: Phase;
  readonly isReprocessed: boolean;
  readonly isReviewed: boolean;
}

/** All versions that are ever seen, in their order; at least one. */
export function versionsOf(life: Life): readonly Version[] {
  const changes: readonly (readonly [number | undefined, Partial<Version>])[] = [
    [life.startMs, { phase: 'begun' }],
    [life.answeredMs, { phase: 'answered' }],
    [life.endMs, { phase: 'ended' }],
    [life.reopenedMs, { phase: 'reopened' }],
    [life.endedAgainMs, { phase: 'ended-again' }],
    [life.reprocessedMs, { isReprocessed: true }],
    [life.reviewedMs, { isReviewed: true }],
  ];
  const dated = changes.flatMap(([atMs, change]) => (atMs === undefined ? [] : [{ atMs, change }]));
  dated.sort((a, b) => a.atMs - b.atMs);
  const versions: Version[] = [];
  let state: Omit<Version, 'sinceMs'> = { phase: 'begun', isReprocessed: false, isReviewed: false };
  for (const { atMs, change } of dated) {
    if (life.vanishedMs !== undefined && atMs >= life.vanishedMs) break;
    state = { ...state, ...change };
    // What changes before it shows, or in one moment, is seen as one.
    const sinceMs = Math.max(atMs, life.visibleMs);
    if (versions.at(-1)?.sinceMs === sinceMs) versions.pop();
    versions.push({ ...state, sinceMs });
  }
  return versions;
}

/** Of `versions`, how many the lake has come to know of a conversation that it holds. */
export function versionsKnown(versions: readonly Version[], cutMs: number): number {
  return versions.filter(({ sinceMs }) => sinceMs < cutMs).length;
}
