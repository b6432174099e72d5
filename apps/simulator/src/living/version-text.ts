import { composeRecord, planMembers } from '../conversations/compose-record.ts';
import type { ComposedRecord } from '../conversations/compose-record.ts';
import { isoTime } from '../conversations/iso-time.ts';
import { metric, segment } from '../conversations/pieces.ts';
import { MEDIA_TYPES } from '../conversations/plan.ts';
import type { Plan } from '../conversations/plan.ts';
import { Random } from '../conversations/random.ts';
import { AGENTS, CALLER_NAMES, TEAMS } from '../conversations/vocabulary.ts';
import type { Life, Version } from './life.ts';

/** Each part of a record has a sequence of its own, so that it is the same in all versions that have it. */
export interface Streams {
  readonly text: Random;
  /** Of the given part. */
  readonly part: (part: 'begun' | 'reopened' | 'reprocessed' | 'reviewed') => Random;
}

/** The record as it reads in one version: a function of the streams, the life and the version alone. */
export function versionText(streams: Streams, life: Life, version: Version): ComposedRecord {
  const { kind, startMs, endMs } = life;
  const isEnded = version.phase === 'ended' || version.phase === 'ended-again';
  const shownEndMs = !isEnded ? undefined : version.phase === 'ended-again' ? life.endedAgainMs : endMs;
  return composeRecord(streams.text, { kind, startMs, endMs: shownEndMs }, (random) => {
    const added = additions(streams, life, version);
    if (version.phase === 'begun') return added + begunMembers(streams.part('begun'), life);
    const firstEndMs = version.phase === 'answered' ? undefined : endMs;
    const plan: Plan = { kind, startMs, endMs: firstEndMs, lengthMs: endMs - startMs, unreviewed: true };
    const members = added + planMembers(random, plan);
    const isAgain = version.phase === 'reopened' || version.phase === 'ended-again';
    if (!isAgain || life.reopenedMs === undefined) return members;
    // The members end with the list of participants: one more.
    return `${members.slice(0, -1)},${customer(streams.part('reopened'), life, life.reopenedMs, shownEndMs)}]`;
  });
}

/** A conversation that has just begun: the customer alone. */
function begunMembers(random: Random, life: Life): string {
  return `"originatingDirection":"inbound","participants":[${customer(random, life, life.startMs, undefined)}]`;
}

/** A customer with one session: one who has just come, or come back to a thread that had ended. */
function customer(random: Random, { kind }: Life, fromMs: number, toMs: number | undefined): string {
  const ended = toMs === undefined ? '' : '"disconnectType":"peer",';
  return `{"participantId":"${random.uuid()}","participantName":"${random.pick(CALLER_NAMES)}","purpose":"customer","sessions":[{"direction":"inbound","mediaType":"${MEDIA_TYPES[kind]}","sessionId":"${random.uuid()}","metrics":[${metric('nConnected', 1, fromMs)}],"segments":[${segment('interact', fromMs, toMs, ended)}]}],"attributes":{}}`;
}

/** What is added to the record long after its participants have left, each part followed by a comma. */
function additions(streams: Streams, life: Life, version: Version): string {
  const { kind, reprocessedMs, reviewedMs } = life;
  let text = '';
  if (version.isReprocessed && reprocessedMs !== undefined)
    text += resolution(streams.part('reprocessed'), reprocessedMs);
  if (version.isReviewed && reviewedMs !== undefined) {
    text += (kind === 'call' ? evaluation : survey)(streams.part('reviewed'), reviewedMs);
  }
  return text;
}

/** A metric that the nightly run fills in. */
function resolution(random: Random, atMs: number): string {
  return `"resolutions":[{"eventTime":"${isoTime(atMs)}","queueId":"${random.pick(TEAMS).queueId}","userId":"${random.pick(AGENTS).userId}","nNextContactAvoided":${random.below(2)}}],`;
}

function evaluation(random: Random, atMs: number): string {
  return `"evaluations":[{"evaluationId":"${random.uuid()}","evaluationStatus":"Finished","evaluatorId":"${random.pick(AGENTS).userId}","eventTime":"${isoTime(atMs)}","formId":"e21f549f-d878-4f45-ab67-27f1d98c5e71","formName":"Billing QA v3","queueId":"${random.pick(TEAMS).queueId}","released":true,"rescored":false,"userId":"${random.pick(AGENTS).userId}","oTotalCriticalScore":100,"oTotalScore":${random.between(40, 100)}}],`;
}

function survey(random: Random, atMs: number): string {
  const at = isoTime(atMs);
  const score = random.between(0, 10);
  return `"surveys":[{"eventTime":"${at}","queueId":"${random.pick(TEAMS).queueId}","surveyCompletedDate":"${at}","surveyFormName":"CSAT","surveyId":"${random.uuid()}","surveyPromoterScore":${score},"surveyStatus":"Finished","surveyType":"Web","userId":"${random.pick(AGENTS).userId}","oSurveyTotalScore":${score * 10}}],`;
}
