import { callMembers } from './call.ts';
import { isoTime } from './iso-time.ts';
import { unknownMembers } from './oddities.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { chatMembers, emailMembers, messageMembers } from './text-channels.ts';
import { DIVISIONS } from './vocabulary.ts';

export interface ComposedRecord {
  readonly text: string;
  /** To be spread out, unless it is spoilt. */
  readonly spread: boolean;
}

/** A record's text; `members` writes what comes after its header. The id is the first of what is drawn. */
export function composeRecord(
  random: Random,
  plan: Plan,
  members: (random: Random, plan: Plan) => string,
): ComposedRecord {
  const id = random.uuid();
  const end = plan.endMs === undefined ? '' : `"conversationEnd":"${isoTime(plan.endMs)}",`;
  const odd = random.below(1000);
  const unknown = odd < 20 ? unknownMembers(random) : '';
  const head = `{${end}"conversationId":"${id}","conversationInitiator":"customer","conversationStart":"${isoTime(plan.startMs)}","customerParticipation":true,"divisionIds":["${random.pick(DIVISIONS)}"],${unknown}`;
  return { text: `${head}${members(random, plan)}}`, spread: odd >= 20 && odd < 30 };
}

/** What happened in the conversation: participants, their sessions and segments. */
export function planMembers(random: Random, plan: Plan): string {
  switch (plan.kind) {
    case 'call':
      return callMembers(random, plan);
    case 'message':
      return messageMembers(random, plan);
    case 'chat':
      return chatMembers(random, plan);
    case 'email':
      return emailMembers(random, plan);
  }
}
