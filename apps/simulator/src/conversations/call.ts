import { isoTime } from './iso-time.ts';
import { attributes, longAttributes, longDecimal, mediaStats, metric, segment, telephone } from './pieces.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import {
  AGENTS,
  CALLER_NAMES,
  EDGES,
  ENTRY_FLOWS,
  LANGUAGES,
  SKILLS,
  TEAMS,
  WRAP_UP_CODES,
  WRAP_UP_NOTES,
} from './vocabulary.ts';
import type { Agent, Team } from './vocabulary.ts';

/** Facts that all legs of one call share. */
interface Call {
  readonly random: Random;
  readonly ani: string;
  readonly dnis: string;
  readonly caller: string;
  readonly skill: string;
  readonly edge: string;
  readonly customerSession: string;
  readonly routing: string;
}

/** Time of one leg: offered to the queue, answered, talk over, after-call work over. */
interface Leg {
  readonly team: Team;
  readonly agent: Agent;
  readonly offeredMs: number;
  readonly answeredMs: number;
  readonly talkEndMs: number;
  readonly wrapEndMs: number;
  /** Handed on to another leg rather than ended by a hang-up. */
  readonly transferred: boolean;
}

/**
 * An inbound voice call: IVR, then queue and agent, once or several times over (blind transfers), or abandoned in the
 * queue. Returns the members after the header: media scores, evaluations and participants.
 */
export function callMembers(random: Random, plan: Plan): string {
  const startMs = plan.startMs;
  const endMs = plan.endMs ?? startMs + 600_000;
  const call: Call = {
    random,
    ani: telephone(random),
    dnis: telephone(random),
    caller: random.pick(CALLER_NAMES),
    skill: random.pick(SKILLS),
    edge: random.pick(EDGES),
    customerSession: random.uuid(),
    routing: random.chance(0.3) ? 'Bullseye' : 'Standard',
  };
  const share = random.below(100);
  const legCount = share < 14 ? 0 : share < 73 ? 1 : share < 97 ? 2 : 3;
  const ivrEndMs = startMs + Math.floor((endMs - startMs) * 0.12);
  const legs = planLegs(random, legCount, ivrEndMs, endMs);
  const firstTeam = legs[0]?.team ?? random.pick(TEAMS);

  let participants = `${customer(call, startMs, endMs, firstTeam)},${ivr(call, startMs, ivrEndMs, firstTeam)}`;
  for (const leg of legs) participants += `,${queue(call, leg, true)},${agent(call, leg)}`;
  const last = legs.at(-1);
  if (!last) participants += `,${abandoned(call, firstTeam, ivrEndMs, endMs)}`;
  const scores = `"mediaStatsMinConversationMos":${longDecimal(random, 4)},"mediaStatsMinConversationRFactor":${random.between(60, 92)}.${random.between(100_000, 999_999)},"originatingDirection":"inbound",`;
  const evaluated = last && plan.unreviewed !== true && random.chance(0.15);
  return `${scores}${evaluated ? evaluation(random, last, endMs) : ''}"participants":[${participants}]`;
}

function planLegs(random: Random, count: number, fromMs: number, toMs: number): Leg[] {
  const lengthMs = count === 0 ? 0 : Math.floor((toMs - fromMs) / count);
  return Array.from({ length: count }, (_, n) => {
    const offeredMs = fromMs + n * lengthMs;
    return {
      team: random.pick(TEAMS),
      agent: random.pick(AGENTS),
      offeredMs,
      answeredMs: offeredMs + Math.floor(lengthMs * 0.2),
      talkEndMs: offeredMs + Math.floor(lengthMs * 0.94),
      wrapEndMs: offeredMs + lengthMs,
      transferred: n < count - 1,
    };
  });
}

function addresses(call: Call): string {
  return `"ani":"${call.ani}","direction":"inbound","dnis":"${call.dnis}","edgeId":"${call.edge}","mediaType":"voice","protocolCallId":"${call.random.uuid()}","provider":"Edge","sessionDnis":"${call.dnis}"`;
}

function customer(call: Call, startMs: number, endMs: number, team: Team): string {
  const { random } = call;
  const stats = random.chance(0.4)
    ? `${mediaStats(random, startMs + 58_000)},${mediaStats(random, endMs)}`
    : mediaStats(random, endMs);
  const extra = `"disconnectType":"${random.chance(0.5) ? 'peer' : 'client'}","q850ResponseCodes":[16],"queueId":"${team.queueId}","requestedRoutingSkillIds":["${call.skill}"],"requestedLanguageId":"${random.pick(LANGUAGES)}",`;
  const segments = `${segment('system', startMs, startMs + 240)},${segment('interact', startMs + 240, endMs, extra)}`;
  const attributeText = random.chance(0.003)
    ? longAttributes(random, random.between(8, 24))
    : attributes(random, random.between(2, 12));
  return `{"externalContactId":"${random.uuid()}","participantId":"${random.uuid()}","participantName":"${call.caller}","purpose":"customer","sessions":[{${addresses(call)},"sessionId":"${call.customerSession}","activeSkillIds":["${call.skill}"],"recording":true,"remoteNameDisplayable":"${call.caller}","requestedRoutings":["${call.routing}"],"usedRouting":"${call.routing}","mediaEndpointStats":[${stats}],"metrics":[${metric('nConnected', 1, startMs + 200)},${metric('tConnected', endMs - startMs, endMs)}],"segments":[${segments}]}],"attributes":${attributeText}}`;
}

function ivr(call: Call, startMs: number, endMs: number, team: Team): string {
  const { random } = call;
  const entry = random.pick(ENTRY_FLOWS);
  const lengthMs = endMs - startMs;
  const authenticated = random.chance(0.5)
    ? `,"outcomes":[{"flowOutcome":"Authenticated","flowOutcomeEndTimestamp":"${isoTime(endMs - 900)}","flowOutcomeId":"8eb3d774-0489-4f8b-a108-d7f0e56af251","flowOutcomeStartTimestamp":"${isoTime(startMs + 1200)}","flowOutcomeValue":"SUCCESS"}]`
    : '';
  const flow = `{"endingLanguage":"en-us","entryReason":"${call.dnis}","entryType":"dnis","exitReason":"TRANSFER","flowId":"${entry.id}","flowName":"${entry.name}","flowType":"INBOUNDCALL","flowVersion":"${random.between(1, 90)}.0","startingLanguage":"en-us","transferTargetAddress":"${team.queueId}","transferTargetName":"${team.name}","transferType":"ACD"${authenticated}}`;
  const metrics = `${metric('nFlow', 1, startMs + 300)},${metric('tIvr', lengthMs, endMs)},${metric('tFlow', lengthMs - 40, endMs)},${metric('tFlowExit', lengthMs - 40, endMs)}`;
  const segments = `${segment('system', startMs + 10, startMs + 50)},${segment('ivr', startMs + 50, endMs, '"disconnectType":"transfer",')}`;
  return `{"participantId":"${random.uuid()}","participantName":"${entry.name}","purpose":"ivr","sessions":[{${addresses(call)},"sessionId":"${random.uuid()}","peerId":"${call.customerSession}","remote":"${call.caller}","remoteNameDisplayable":"${entry.name}","mediaEndpointStats":[${mediaStats(random, endMs)}],"flow":${flow},"metrics":[${metrics}],"segments":[${segments}]}],"attributes":{}}`;
}

function queue(call: Call, leg: Leg, answered: boolean): string {
  const { random } = call;
  const waitedMs = leg.answeredMs - leg.offeredMs;
  const flow = `{"flowId":"${leg.team.flowId}","flowName":"Default In-Queue","flowType":"INQUEUECALL","flowVersion":"7.0","startingLanguage":"en-us"}`;
  const wait = answered ? metric('tAcd', waitedMs, leg.answeredMs) : metric('tAbandon', waitedMs, leg.answeredMs);
  const late = waitedMs > 60_000 ? `,${metric('nOverSla', 1, leg.answeredMs)}` : '';
  const asked = `"queueId":"${leg.team.queueId}","requestedRoutingSkillIds":["${call.skill}"],`;
  const ended = answered ? '"disconnectType":"transfer",' : '"disconnectType":"peer",';
  const segments = `${segment('delay', leg.offeredMs, leg.offeredMs + 20, asked)},${segment('interact', leg.offeredMs + 20, leg.answeredMs, ended + asked)}`;
  return `{"participantId":"${random.uuid()}","participantName":"${leg.team.name}","purpose":"acd","sessions":[{${addresses(call)},"sessionId":"${random.uuid()}","peerId":"${call.customerSession}","activeSkillIds":["${call.skill}"],"destinationAddresses":["sip:agent@localhost"],"flowInType":"ivr","remote":"${call.caller}","requestedRoutings":["${call.routing}"],"routingRing":1${answered ? `,"selectedAgentId":"${leg.agent.userId}"` : ''},"usedRouting":"${call.routing}","mediaEndpointStats":[${mediaStats(random, leg.answeredMs)}],"flow":${flow},"metrics":[${metric('nOffered', 1, leg.offeredMs + 20)},${wait}${late}],"segments":[${segments}]}],"attributes":{}}`;
}

function abandoned(call: Call, team: Team, fromMs: number, toMs: number): string {
  const leg: Leg = {
    team,
    agent: call.random.pick(AGENTS),
    offeredMs: fromMs,
    answeredMs: toMs,
    talkEndMs: toMs,
    wrapEndMs: toMs,
    transferred: false,
  };
  return queue(call, leg, false);
}

function agent(call: Call, leg: Leg): string {
  const { random } = call;
  const alertMs = Math.min(7500, leg.answeredMs - leg.offeredMs);
  const talkMs = leg.talkEndMs - leg.answeredMs;
  const asked = `"queueId":"${leg.team.queueId}","requestedRoutingSkillIds":["${call.skill}"],`;
  const handed = leg.transferred
    ? `${metric('nTransferred', 1, leg.talkEndMs)},${metric('nBlindTransferred', 1, leg.talkEndMs)},`
    : '';
  const metrics = `${metric('tAlert', alertMs, leg.answeredMs)},${metric('tAnswered', leg.answeredMs - leg.offeredMs, leg.answeredMs)},${handed}${metric('tTalk', talkMs, leg.talkEndMs)},${metric('tTalkComplete', talkMs, leg.talkEndMs)},${metric('tAcw', leg.wrapEndMs - leg.talkEndMs, leg.wrapEndMs)},${metric('tHandle', leg.wrapEndMs - leg.answeredMs, leg.wrapEndMs)}`;
  const ended = `"disconnectType":"${leg.transferred ? 'transfer' : 'client'}","q850ResponseCodes":[16],${asked}`;
  const wrap = `${asked}"wrapUpCode":"${random.pick(WRAP_UP_CODES)}","wrapUpNote":"${random.pick(WRAP_UP_NOTES)}","wrapUpTags":["billing"],`;
  const segments = `${segment('alert', leg.answeredMs - alertMs, leg.answeredMs, asked)},${talk(random, leg, asked, ended)},${segment('wrapup', leg.talkEndMs, leg.wrapEndMs, wrap)}`;
  return `{"participantId":"${random.uuid()}","purpose":"agent","teamId":"${leg.agent.teamId}","userId":"${leg.agent.userId}","sessions":[{${addresses(call)},"sessionId":"${random.uuid()}","peerId":"${call.customerSession}","activeSkillIds":["${call.skill}"],"agentBullseyeRing":1,"recording":true,"remote":"${call.caller}","requestedRoutings":["${call.routing}"],"routingRing":1,"selectedAgentId":"${leg.agent.userId}","usedRouting":"${call.routing}","mediaEndpointStats":[${mediaStats(random, leg.talkEndMs)}],"metrics":[${metrics}],"segments":[${segments}]}],"attributes":{}}`;
}

/** The talk, in one piece or with a hold in the middle. */
function talk(random: Random, leg: Leg, asked: string, ended: string): string {
  if (random.chance(0.6)) return segment('interact', leg.answeredMs, leg.talkEndMs, ended);
  const third = Math.floor((leg.talkEndMs - leg.answeredMs) / 3);
  const held = leg.answeredMs + third;
  const back = held + third;
  return `${segment('interact', leg.answeredMs, held, asked)},${segment('hold', held, back, asked)},${segment('interact', back, leg.talkEndMs, ended)}`;
}

function evaluation(random: Random, leg: Leg, endMs: number): string {
  const score = random.between(40, 100);
  return `"evaluations":[{"assigneeApplicable":true,"evaluationId":"${random.uuid()}","evaluationStatus":"Finished","evaluatorId":"${random.pick(AGENTS).userId}","eventTime":"${isoTime(endMs + 90_000_000)}","formId":"e21f549f-d878-4f45-ab67-27f1d98c5e71","formName":"Billing QA v3","queueId":"${leg.team.queueId}","released":true,"rescored":false,"userId":"${leg.agent.userId}","oTotalCriticalScore":100,"oTotalScore":${score}}],`;
}
