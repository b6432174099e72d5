import type { Lifetime } from './conversations.ts';
import type { Random } from './random.ts';

export type Kind = 'call' | 'message' | 'chat' | 'email';

export const MEDIA_TYPES: Readonly<Record<Kind, string>> = {
  call: 'voice',
  message: 'message',
  chat: 'chat',
  email: 'email',
};

/** What is known of a conversation without writing its text. */
export interface Plan extends Lifetime {
  readonly kind: Kind;
  /** How long it will have lasted, where that is settled although it is still open. */
  readonly lengthMs?: number;
  /** Evaluations and surveys are left out: they come later, or not at all. */
  readonly unreviewed?: true;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Draws kind and lifetime from the record's own sequence. The shares give a mean of about 7.8 kB a record: calls are
 * long texts, chats short ones. E-mails stay open in two of five cases, and threads of messages may last for days, so
 * that an interval's overlap differs from what started in it.
 */
export function drawPlan(random: Random, startMs: number): Plan {
  const share = random.below(100);
  if (share < 55) return { kind: 'call', startMs, endMs: startMs + callMs(random) };
  if (share < 75) return { kind: 'message', startMs, endMs: startMs + messageMs(random) };
  if (share < 85) return { kind: 'chat', startMs, endMs: startMs + random.between(3 * MINUTE, 40 * MINUTE) };
  const open = random.chance(0.4);
  const lengthMs = random.between(HOUR, 5 * 24 * HOUR);
  return { kind: 'email', startMs, endMs: open ? undefined : startMs + lengthMs };
}

function callMs(random: Random): number {
  const most = random.chance(0.02) ? 2 * HOUR : 25 * MINUTE;
  return random.between(70 * SECOND, most);
}

function messageMs(random: Random): number {
  return random.chance(0.08) ? random.between(HOUR, 72 * HOUR) : random.between(5 * MINUTE, 50 * MINUTE);
}
