import { isoTime } from './iso-time.ts';
import { attributes, metric, segment } from './pieces.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import { AGENTS, CALLER_NAMES, KNOWLEDGE_BASES, SKILLS, SUBJECTS, TEAMS, WRAP_UP_CODES } from './vocabulary.ts';
import type { Agent, Team } from './vocabulary.ts';

/** One text conversation's shared facts; `head` is the members every session begins with. */
interface Thread {
  readonly random: Random;
  readonly head: string;
  readonly skill: string;
  readonly team: Team;
  readonly agent: Agent;
  readonly session: string;
  readonly startMs: number;
  readonly queuedMs: number;
  readonly answeredMs: number;
  readonly endMs: number | undefined;
}

/** A web message: customer, bot, queue, agent, sometimes a survey. */
export function messageMembers(random: Random, plan: Plan): string {
  const journey = `"journeyCustomerId":"${random.uuid()}","journeyCustomerIdType":"cookie","journeyCustomerSessionId":"${random.uuid()}","journeyCustomerSessionIdType":"web"`;
  const channel = random.pick([
    '"messageType":"webmessaging","engagementSource":"WebChat"',
    '"messageType":"whatsapp","engagementSource":"WhatsApp"',
  ]);
  const head = `"addressFrom":"${random.hex8()}${random.hex8()}","addressTo":"deployment-3dc165d0","direction":"inbound",${journey},"mediaType":"message",${channel},"provider":"PureCloud Messaging"`;
  const thread = openThread(random, plan, head);
  const count = random.between(4, 40);
  const endMs = thread.endMs ?? thread.answeredMs;
  const counted = `,${metric('oMessageCount', count, endMs)},${metric('oMediaCount', 1, endMs)}`;
  const survey = plan.unreviewed !== true && random.chance(0.3) ? surveyMember(random, thread, endMs) : '';
  const people = [
    customer(thread, counted, ''),
    automaton(thread, 'botflow', 'DIGITALBOT', `${thread.team.name} Bot`, ''),
    queue(thread, ''),
    agent(thread, ''),
  ].join(',');
  return `"knowledgeBaseIds":["${random.pick(KNOWLEDGE_BASES)}"],"originatingDirection":"inbound","selfServed":false,${survey}"participants":[${people}]`;
}

/** A web chat of the old kind: customer, queue, agent, little else. */
export function chatMembers(random: Random, plan: Plan): string {
  const thread = openThread(random, plan, `"direction":"inbound","mediaType":"chat","provider":"PureCloud Webchat v2"`);
  return `"originatingDirection":"inbound","participants":[${customer(thread, '', '')},${queue(thread, '')},${agent(thread, '')}]`;
}

/** An e-mail: triage, queue, agent; while it is open the last segments have no end. */
export function emailMembers(random: Random, plan: Plan): string {
  const from = `customer${random.below(9999)}@example.org`;
  const cc = random.chance(0.5) ? '"cc":["family@example.org"],' : '';
  const head = `"addressFrom":"${from}","addressOther":"${from}","addressSelf":"care@example.com","addressTo":"care@example.com",${cc}"direction":"inbound","mediaCount":${random.below(5)},"mediaType":"email","engagementSource":"Email","provider":"PureCloud Email"`;
  const thread = openThread(random, plan, head);
  const subject = `"subject":"${random.pick(SUBJECTS)}",`;
  const people = [
    customer(thread, '', subject),
    automaton(thread, 'workflow', 'INBOUNDEMAIL', 'Email Triage', subject),
    queue(thread, subject),
    agent(thread, subject),
  ].join(',');
  return `"originatingDirection":"inbound","participants":[${people}]`;
}

function openThread(random: Random, plan: Plan, head: string): Thread {
  const lengthMs = plan.lengthMs ?? (plan.endMs ?? plan.startMs + 36_000_000) - plan.startMs;
  return {
    random,
    head,
    skill: random.pick(SKILLS),
    team: random.pick(TEAMS),
    agent: random.pick(AGENTS),
    session: random.uuid(),
    startMs: plan.startMs,
    queuedMs: plan.startMs + Math.floor(lengthMs * 0.06),
    answeredMs: plan.startMs + Math.floor(lengthMs * 0.2),
    endMs: plan.endMs,
  };
}

function customer(thread: Thread, moreMetrics: string, subject: string): string {
  const { random } = thread;
  const ended = thread.endMs === undefined ? '' : '"disconnectType":"endpoint",';
  const extra = `${ended}"queueId":"${thread.team.queueId}","requestedRoutingSkillIds":["${thread.skill}"],${subject}`;
  return `{"externalContactId":"${random.uuid()}","participantId":"${random.uuid()}","participantName":"${random.pick(CALLER_NAMES)}","purpose":"customer","sessions":[{${thread.head},"sessionId":"${thread.session}","activeSkillIds":["${thread.skill}"],"requestedRoutings":["Standard"],"usedRouting":"Standard","metrics":[${metric('nConnected', 1, thread.startMs)}${moreMetrics}],"segments":[${segment('interact', thread.startMs, thread.endMs, extra)}]}],"attributes":${attributes(random, random.between(2, 9))}}`;
}

function automaton(thread: Thread, purpose: string, flowType: string, name: string, subject: string): string {
  const { random, startMs, queuedMs, team } = thread;
  const lengthMs = queuedMs - startMs;
  const flow = `{"endingLanguage":"en-us","entryReason":"deployment","entryType":"flow","exitReason":"TRANSFER","flowId":"${team.flowId}","flowName":"${name}","flowType":"${flowType}","flowVersion":"${random.between(1, 40)}.0","startingLanguage":"en-us","transferTargetAddress":"${team.queueId}","transferTargetName":"${team.name}","transferType":"ACD"}`;
  const metrics = `${metric('nFlow', 1, startMs + 100)},${metric('nBotInteractions', 1, queuedMs)},${metric('tFlow', lengthMs, queuedMs)},${metric('tFlowExit', lengthMs, queuedMs)}`;
  return `{"participantId":"${random.uuid()}","participantName":"${name}","purpose":"${purpose}","sessions":[{${thread.head},"sessionId":"${random.uuid()}","peerId":"${thread.session}","flow":${flow},"metrics":[${metrics}],"segments":[${segment('ivr', startMs + 100, queuedMs, `"disconnectType":"transfer",${subject}`)}]}],"attributes":{}}`;
}

function queue(thread: Thread, subject: string): string {
  const { random, queuedMs, answeredMs, team } = thread;
  const extra = `"disconnectType":"transfer","queueId":"${team.queueId}","requestedRoutingSkillIds":["${thread.skill}"],${subject}`;
  return `{"participantId":"${random.uuid()}","participantName":"${team.name}","purpose":"acd","sessions":[{${thread.head},"sessionId":"${random.uuid()}","peerId":"${thread.session}","requestedRoutings":["Standard"],"selectedAgentId":"${thread.agent.userId}","usedRouting":"Standard","metrics":[${metric('nOffered', 1, queuedMs)},${metric('tAcd', answeredMs - queuedMs, answeredMs)}],"segments":[${segment('interact', queuedMs, answeredMs, extra)}]}],"attributes":{}}`;
}

function agent(thread: Thread, subject: string): string {
  const { random, queuedMs, answeredMs, endMs, team } = thread;
  const asked = `"queueId":"${team.queueId}",${subject}`;
  const alert = segment('alert', answeredMs - 6000, answeredMs, asked);
  let metrics = `${metric('tAlert', 6000, answeredMs)},${metric('tAnswered', answeredMs - queuedMs, answeredMs)}`;
  let segments = `${alert},${segment('interact', answeredMs, endMs, endMs === undefined ? asked : `"disconnectType":"client",${asked}`)}`;
  if (endMs !== undefined) {
    const talkMs = endMs - answeredMs;
    metrics += `,${metric('tTalk', talkMs, endMs)},${metric('tTalkComplete', talkMs, endMs)},${metric('tAcw', 21_800, endMs + 21_800)},${metric('tHandle', talkMs + 21_800, endMs + 21_800)}`;
    segments += `,${segment('wrapup', endMs, endMs + 21_800, `${asked}"wrapUpCode":"${random.pick(WRAP_UP_CODES)}",`)}`;
  }
  return `{"participantId":"${random.uuid()}","purpose":"agent","teamId":"${thread.agent.teamId}","userId":"${thread.agent.userId}","sessions":[{${thread.head},"sessionId":"${random.uuid()}","peerId":"${thread.session}","requestedRoutings":["Standard"],"selectedAgentId":"${thread.agent.userId}","usedRouting":"Standard","metrics":[${metrics}],"segments":[${segments}]}],"attributes":{}}`;
}

function surveyMember(random: Random, thread: Thread, endMs: number): string {
  const score = random.between(0, 10);
  const at = isoTime(endMs + 3_900_000);
  return `"surveys":[{"eventTime":"${at}","queueId":"${thread.team.queueId}","surveyCompletedDate":"${at}","surveyFormContextId":"c0ee7ae4-ba12-466b-a678-59d30c511f20","surveyFormId":"26896dcf-70d1-4e29-89fd-2dc25a3b2c9f","surveyFormName":"CSAT","surveyId":"${random.uuid()}","surveyPromoterScore":${score},"surveyStatus":"Finished","surveyType":"Web","userId":"${thread.agent.userId}","oSurveyTotalScore":${score * 10}}],`;
}
