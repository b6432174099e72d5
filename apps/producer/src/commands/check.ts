import { checkSpool } from '@genesys-kafka/archive';
import { conversationSchemaText } from '@genesys-kafka/conversation';
import { GenesysError } from '@genesys-kafka/genesys-client';
import { checkCluster, connectKafka } from '@genesys-kafka/kafka';
import { checkLedgerTopics } from '@genesys-kafka/ledger';
import { connectObjectStore } from '@genesys-kafka/object-store';
import { OperationalError } from '@genesys-kafka/resilience';
import { runChecks, type Check, type Session } from '@genesys-kafka/runtime';
import { connectRegistry } from '@genesys-kafka/schema-registry';
import { topicSpecs } from '@genesys-kafka/topics';
import { ledgerTopics } from '../export/context.ts';
import { clockGuard } from '../genesys/clock-guard.ts';
import { connectGenesys } from '../genesys/connect.ts';
import type { Settings } from '../settings.ts';

/**
 * `producer check`: tries the connections that the configuration asks for, and says what to fix.
 * Publishes nothing and creates no topic.
 */
export async function checkCommand(session: Session<Settings>): Promise<number> {
  const { settings } = session;
  return runChecks(session, [
    { name: 'settings', run: async () => `connector ${settings.connector}` },
    { name: 'kafka', run: () => checkKafka(session) },
    { name: 'registry', run: () => checkRegistry(session) },
    { name: 'genesys', run: () => checkGenesys(session) },
    { name: 's3', run: () => checkStorage(session) },
    { name: 'spool', run: () => checkSpool(settings.spool.dir).then(() => settings.spool.dir) },
  ]);
}

async function checkKafka({ settings, log, signal }: Session<Settings>): Promise<string> {
  const { topicPrefix: prefix, partitions: dataPartitions } = settings.kafka;
  const specs = topicSpecs({ prefix, dataPartitions });
  const client = connectKafka(settings, log);
  try {
    const answer = await checkCluster(client, [specs.data, specs.deadLetters, specs.ledger]);
    await checkLedgerTopics(client, ledgerTopics(specs), { signal });
    return answer;
  } finally {
    await client.close();
  }
}

async function checkRegistry({ settings, log }: Session<Settings>): Promise<string> {
  const { register, compatibility } = settings.schema;
  const registry = connectRegistry(settings, clockGuard(settings, log));
  await registry.check();
  const subject = `${settings.kafka.topicPrefix}conversation-details-value`;
  try {
    const lookup = { subject, schema: conversationSchemaText, mode: 'require-registered', compatibility } as const;
    return `${subject} is registered as schema ${await registry.resolveId(lookup)}`;
  } catch (error) {
    const isToCome = register === 'auto' && error instanceof OperationalError && error.code === 'schema-not-registered';
    if (!isToCome) throw error;
    return `answers; ${subject} is registered when it is first needed`;
  }
}

const NO_JOB = '00000000-0000-0000-0000-000000000000';

async function checkGenesys({ settings, log, signal }: Session<Settings>): ReturnType<Check['run']> {
  const { region, apiUrl, contract } = settings.genesys;
  if (region === undefined && apiUrl === undefined) {
    return { status: 'skipped', message: 'no region and no apiUrl set: only `publish` can be used' };
  }
  await using genesys = connectGenesys(settings, log);
  if (contract === 'details-jobs') {
    const until = await genesys.availability(signal);
    return `logged in; data is available until ${until.toISOString()}`;
  }
  try {
    await genesys.bulkArchive.status(NO_JOB, signal);
  } catch (error) {
    // That nobody knows this job is the answer of an API that lets us look at jobs.
    if (!(error instanceof GenesysError && error.code === 'job-gone')) throw error;
  }
  return 'logged in, and jobs may be looked at; submitting shows with the first export';
}

async function checkStorage({ settings, signal }: Session<Settings>): ReturnType<Check['run']> {
  const { endpoint, region, accessKeyId } = settings.s3;
  if (endpoint === undefined && region === undefined && accessKeyId === undefined) {
    return { status: 'skipped', message: 'no endpoint, region or key set: only needed for s3: sources' };
  }
  await using store = await connectObjectStore(settings.s3, settings.proxy);
  return await store.check(signal);
}
