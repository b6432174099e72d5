import { access, constants, mkdir } from 'node:fs/promises';
import { conversationSchemaText } from '@genesys-kafka/conversation';
import { GenesysError } from '@genesys-kafka/genesys-client';
import { createKafkaClient } from '@genesys-kafka/kafka';
import { OperationalError } from '@genesys-kafka/resilience';
import { createLogger, printJson, type Logger } from '@genesys-kafka/runtime';
import { checkTopic, topicSpecs } from '@genesys-kafka/topics';
import { readSettings } from '../config.ts';
import { connectRegistry, kafkaOptions } from '../export/context.ts';
import { connectGenesys } from '../genesys/connect.ts';
import type { Settings } from '../settings.ts';
import { refuseUnavailable, type Common } from './session.ts';

interface CheckResult {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
}

type Check = () => Promise<Omit<CheckResult, 'check'>>;

/**
 * `producer check`: tries every connection and permission that the configuration asks for, one after the other, and
 * says what to fix. Publishes nothing and creates no topic. Resolves with 0, 1 (something failed) or 2 (configuration).
 */
export async function checkCommand(common: Common, signal: AbortSignal): Promise<number> {
  const settings = readSettings(common.config);
  const log = createLogger({ name: 'producer', level: settings.log.level });
  const checks: [string, Check][] = [
    ['settings', () => checkSettings(settings)],
    ['kafka', () => checkKafka(settings, log)],
    ['registry', () => checkRegistry(settings)],
    ['genesys', () => checkGenesys(settings, log, signal)],
    ['spool', () => checkSpool(settings)],
  ];
  const results: CheckResult[] = [];
  let status = 0;
  for (const [check, run] of checks) {
    signal.throwIfAborted();
    try {
      results.push({ check, ...(await run()) });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      results.push({ check, status: 'failed', message: `${error.code}: ${error.message}` });
      status = error.scope === 'usage' ? 2 : status === 2 ? 2 : 1;
    }
    if (!common.json) process.stdout.write(checkLine(results.at(-1)!));
  }
  if (common.json) await printJson({ ok: status === 0, checks: results });
  return status;
}

const MARKS = { ok: '✔', warning: '!', failed: '✖', skipped: '-' } as const;

function checkLine({ check, status, message }: CheckResult): string {
  return `${MARKS[status]} ${check.padEnd(9)} ${message}\n`;
}

async function checkSettings(settings: Settings): ReturnType<Check> {
  refuseUnavailable(settings);
  return { status: 'ok', message: `connector ${settings.connector}` };
}

async function checkKafka(settings: Settings, log: Logger): ReturnType<Check> {
  const client = createKafkaClient(kafkaOptions(settings, log));
  try {
    const brokers = await client.admin.brokers();
    const specs = topicSpecs({ prefix: settings.kafka.topicPrefix, dataPartitions: settings.kafka.partitions });
    const problems: string[] = [];
    const missing: string[] = [];
    for (const spec of [specs.data, specs.deadLetters, specs.ledger]) {
      const topic = await client.admin.describeTopic(spec.name);
      if (topic) problems.push(...checkTopic(spec, topic));
      else missing.push(spec.name);
    }
    if (problems.length > 0) throw new OperationalError('topic-unfit', problems.join(' '));
    const created = missing.length === 0 ? 'all topics fit' : `${missing.join(', ')} will be created`;
    return { status: 'ok', message: `${brokers.length} broker${brokers.length === 1 ? '' : 's'}, ${created}` };
  } finally {
    await client.close();
  }
}

async function checkRegistry(settings: Settings): ReturnType<Check> {
  const { register, compatibility } = settings.schema;
  const registry = connectRegistry(settings);
  await registry.check();
  const subject = `${settings.kafka.topicPrefix}conversation-details-value`;
  try {
    const lookup = { subject, schema: conversationSchemaText, mode: 'require-registered', compatibility } as const;
    return { status: 'ok', message: `${subject} is registered as schema ${await registry.resolveId(lookup)}` };
  } catch (error) {
    const isToCome = register === 'auto' && error instanceof OperationalError && error.code === 'schema-not-registered';
    if (!isToCome) throw error;
    return { status: 'ok', message: `answers; ${subject} is registered when it is first needed` };
  }
}

const NO_JOB = '00000000-0000-0000-0000-000000000000';

async function checkGenesys(settings: Settings, log: Logger, signal: AbortSignal): ReturnType<Check> {
  const { region, apiUrl, contract } = settings.genesys;
  if (region === undefined && apiUrl === undefined) {
    return { status: 'skipped', message: 'no region and no apiUrl set: only `publish` can be used' };
  }
  await using genesys = connectGenesys(settings, log);
  if (contract === 'details-jobs') {
    const until = await genesys.availability(signal);
    return { status: 'ok', message: `logged in; data is available until ${until.toISOString()}` };
  }
  try {
    await genesys.bulkArchive.status(NO_JOB, signal);
  } catch (error) {
    // That nobody knows this job is the answer of an API that lets us look at jobs.
    if (!(error instanceof GenesysError && error.code === 'job-gone')) throw error;
  }
  return { status: 'ok', message: 'logged in, and jobs may be looked at; submitting shows with the first export' };
}

async function checkSpool(settings: Settings): ReturnType<Check> {
  const { dir } = settings.spool;
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new OperationalError('spool-unwritable', `${dir} cannot be written (${code}). Set SPOOL_DIR.`, {
      cause: error,
    });
  }
  return { status: 'ok', message: dir };
}
