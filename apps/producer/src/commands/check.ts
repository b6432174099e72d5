import { checkSpool, spoolRoom } from '@genesys-kafka/archive';
import { conversationSchemaText } from '@genesys-kafka/conversation';
import { checkLetterPlace, connectLetterPlace } from '@genesys-kafka/dead-letters';
import { checkCluster, checkLogin, connectKafka, type KafkaClient, type NeededRights } from '@genesys-kafka/kafka';
import { checkLedgerTopics, readLedger } from '@genesys-kafka/ledger';
import { connectObjectStore } from '@genesys-kafka/object-store';
import { OperationalError, systemClock } from '@genesys-kafka/resilience';
import { formatAmount, runChecks, type Check, type Session } from '@genesys-kafka/runtime';
import { connectRegistry } from '@genesys-kafka/schema-registry';
import { LANES, topicSpecs, type TopicSpec, type TopicSpecs } from '@genesys-kafka/topics';
import { brokerNames, ledgerTopics } from '../export/context.ts';
import { ClockWitnesses } from '../genesys/clock-witnesses.ts';
import { assertFollowable, followOf } from '../run/follow.ts';
import type { Settings } from '../settings.ts';
import { checkedQuery } from './arguments.ts';
import { genesysChecks } from './check-genesys.ts';

/**
 * `producer check`: tries what the configuration asks for, and says what to fix; what `run` needs where windows.from is
 * set. Publishes nothing, submits no job and creates no topic.
 */
export async function checkCommand(session: Session<Settings>): Promise<number> {
  const { settings } = session;
  const { topicPrefix: prefix, partitions: dataPartitions } = settings.kafka;
  const specs = topicSpecs({ prefix, dataPartitions });
  const follows = settings.windows.fromMs !== undefined;
  const clocks = new ClockWitnesses();
  let brokersAnswer = false;
  const kafka = async (work: (client: KafkaClient) => ReturnType<Check['run']>) => withKafka(session, work);
  const afterwards = (work: (client: KafkaClient) => ReturnType<Check['run']>) => async () =>
    brokersAnswer ? kafka(work) : BROKERS_FIRST;
  return runChecks(session, [
    { name: 'settings', run: async () => `connector ${settings.connector}` },
    {
      name: 'kafka',
      run: () =>
        kafka(async (client) => {
          await client.admin.brokers();
          brokersAnswer = true;
          return checkKafka(client, specs, session);
        }),
    },
    { name: 'rights', run: afterwards(async (client) => checkLogin(client, neededRights(settings, specs))) },
    ...(follows ? [{ name: 'run', run: afterwards(async (client) => checkFollow(client, specs, session)) }] : []),
    { name: 'registry', run: () => checkRegistry(session, clocks) },
    ...genesysChecks(session, clocks),
    { name: 'clock', run: async () => clocks.verdict(settings) },
    { name: 's3', run: () => checkStorage(session) },
    { name: 'dead letters', run: () => checkDeadLetters(session) },
    { name: 'spool', run: () => checkRoom(settings) },
  ]);
}

const BROKERS_FIRST = { status: 'skipped', message: 'the brokers come first' } as const;

async function withKafka<T>(
  { settings, log }: Session<Settings>,
  work: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const client = connectKafka(settings, log);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function checkKafka(
  client: KafkaClient,
  specs: TopicSpecs,
  { settings, signal }: Session<Settings>,
): ReturnType<Check['run']> {
  const { data, ledger, digests } = specs;
  const follows = settings.windows.fromMs !== undefined;
  const answer = await checkCluster(client, [
    data,
    ...letterTopics(settings, specs),
    ledger,
    ...(follows ? [digests] : []),
  ]);
  await checkLedgerTopics(client, ledgerTopics(specs), { signal });
  return answer;
}

/** What `export` and `publish` do at the brokers, and `run` where it is set up. */
function neededRights(settings: Settings, specs: TopicSpecs): NeededRights {
  const { data, ledger, digests } = specs;
  const names = brokerNames(settings);
  const follows = settings.windows.fromMs !== undefined;
  return {
    topics: [
      { spec: data, rights: ['write'] },
      ...letterTopics(settings, specs).map((spec) => ({ spec, rights: ['write'] as const })),
      ...(follows ? [ledger, digests] : [ledger]).map((spec) => ({ spec, rights: ['read', 'write'] as const })),
    ],
    transactionalIds: [
      // Of an export that nobody has asked for: theirs are made of its interval and query.
      names.exportId('check'),
      ...(follows ? Array.from({ length: LANES }, (_, lane) => names.laneId(lane)) : []),
    ],
    groups: follows ? [names.runGroup] : [],
  };
}

/** None where dead letters go to object storage alone. */
function letterTopics({ deadLetters: { topic } }: Settings, { deadLetters }: TopicSpecs): TopicSpec[] {
  return topic ? [deadLetters] : [];
}

/** What `run` ends with at its start: its settings alone, and beside what the ledger says that it was begun with. */
async function checkFollow(
  client: KafkaClient,
  { ledger }: TopicSpecs,
  { settings, signal }: Session<Settings>,
): Promise<string> {
  const query = checkedQuery('genesys.query', settings.genesys.query);
  const nowMs = systemClock.nowMs();
  const follow = followOf(settings, query, nowMs);
  const { entries } = await readLedger(client, ledger.name, signal);
  assertFollowable(follow, entries, nowMs);
  return `follows from ${follow.identity.from} on`;
}

async function checkRegistry({ settings }: Session<Settings>, clocks: ClockWitnesses): ReturnType<Check['run']> {
  const { register, compatibility } = settings.schema;
  const registry = connectRegistry(settings, clocks.see);
  await registry.check();
  const subject = `${settings.kafka.topicPrefix}conversation-details-value`;
  try {
    const lookup = { subject, schema: conversationSchemaText, mode: 'require-registered', compatibility } as const;
    return `${subject} is registered as schema ${await registry.resolveId(lookup)}`;
  } catch (error) {
    const isToCome = register === 'auto' && error instanceof OperationalError && error.code === 'schema-not-registered';
    if (!isToCome) throw error;
  }
  if (await registry.tryRegister({ subject, schema: conversationSchemaText })) {
    return `answers; ${subject} is registered when it is first needed`;
  }
  const message = `answers; whether the schema fits ${subject} shows when it is first needed: this registry does not tell`;
  return { status: 'warning', message };
}

async function checkStorage({ settings, signal }: Session<Settings>): ReturnType<Check['run']> {
  const { endpoint, region, accessKeyId } = settings.s3;
  if (endpoint === undefined && region === undefined && accessKeyId === undefined) {
    return { status: 'skipped', message: 'no endpoint, region or key set: only needed for s3: sources' };
  }
  await using store = await connectObjectStore(settings.s3, settings.proxy);
  return await store.check(signal);
}

async function checkDeadLetters({ settings, signal }: Session<Settings>): ReturnType<Check['run']> {
  const { objects } = settings.deadLetters;
  if (!objects) return { status: 'skipped', message: 'they go to their topic alone' };
  await using place = await connectLetterPlace(objects, settings.proxy);
  return await checkLetterPlace(place, signal);
}

async function checkRoom({ spool, genesys }: Settings): Promise<string> {
  await checkSpool(spool.dir);
  const room = `${spool.dir}, ${formatAmount(await spoolRoom(spool.dir), 'bytes')} free`;
  if (genesys.contract !== 'bulk-archive') return room;
  return `${room}; up to ${genesys.concurrentJobs} archives, and what is made of them, lie there at a time`;
}
