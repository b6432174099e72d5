import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulatorEnv, type Stack } from '@genesys-kafka/testing';
import type { Environment, Finished, Processes } from './processes.ts';

/** What the demo reads of the producer's report. */
export interface ProducerReport {
  readonly records: {
    readonly read: number;
    readonly published: number;
    readonly invalid: number;
    readonly unchanged: number;
  };
  readonly bytes: number;
  readonly seconds: number;
}

/** And of the consumer's. */
export interface ConsumerReport {
  readonly routes: Readonly<Record<string, { delivered: number; retried: number; deadLettered: number }>>;
}

/** One of the ways in which records come: a connector and a topic prefix of its own. */
export interface Scenario {
  readonly name: string;
  readonly prefix: string;
  readonly producerArgs: readonly string[];
  readonly env: Environment;
}

/** The consumer's; the target has a path of that name for each. */
export const ROUTES = ['voice', 'everything'] as const;

/** The simulator's day. */
const DAY = ['--from', '2025-10-01', '--to', '2025-10-02'];

export interface DemoFiles extends AsyncDisposable {
  readonly dir: string;
  /** The submit body for `bulk-archive`: its default size would cut a large day off. */
  readonly query: string;
  /** A configuration whose dead letters go to object storage too, where `objects` says which. */
  consumerConfig(url: string, objects?: Readonly<Record<string, string>>): Promise<string>;
}

export async function makeFiles(records: number): Promise<DemoFiles> {
  const dir = await mkdtemp(join(tmpdir(), 'genesys-kafka-demo-'));
  const query = join(dir, 'query.json');
  await writeFile(query, JSON.stringify({ size: records + 1 }));
  return {
    dir,
    query,
    async consumerConfig(url, objects) {
      const file = join(dir, 'consumer.yaml');
      const letters = objects === undefined ? '' : `deadLetters: ${JSON.stringify({ objects })}\n`;
      await writeFile(file, consumerYaml(url) + letters, { mode: 0o600 });
      return file;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

function consumerYaml(url: string): string {
  return `routes:
  - name: ${ROUTES[0]}
    when: record.participants.exists(p, p.sessions.exists(s, s.mediaType == "voice"))
    sink: crm
    priority: high
  - name: ${ROUTES[1]}
    sink: lake
sinks:
  crm: { type: http, url: '${url}/${ROUTES[0]}', concurrency: 32, breaker: { errors: 90%, over: 200, cooldown: 1s } }
  lake: { type: http, url: '${url}/${ROUTES[1]}', concurrency: 64, breaker: { errors: 90%, over: 200, cooldown: 1s } }
retry: { tiers: [1s, 2s, 5s] }
unrouted: drop
`;
}

/**
 * Both contracts, or one archive that the user brought. Topics are new ones each time: on brokers that stay, the last
 * demo has done all the work.
 */
export function scenarios(
  archive: string | undefined,
  files: Pick<DemoFiles, 'dir' | 'query'>,
  simulator: Environment,
): Scenario[] {
  const suffix = randomBytes(3).toString('hex');
  if (archive !== undefined) {
    const env = { CONNECTOR_NAME: 'demo-archive', SPOOL_DIR: files.dir };
    return [{ name: 'archive', prefix: `demo-archive-${suffix}.`, producerArgs: ['publish', archive, '--json'], env }];
  }
  return ['details-jobs', 'bulk-archive'].map((contract): Scenario => {
    const query = contract === 'bulk-archive' ? ['--query', files.query] : [];
    return {
      name: contract,
      prefix: `demo-${contract}-${suffix}.`,
      producerArgs: ['export', ...DAY, ...query, '--json'],
      env: { ...simulator, GENESYS_CONTRACT: contract, CONNECTOR_NAME: `demo-${contract}`, SPOOL_DIR: files.dir },
    };
  });
}

export function stackEnv(stack: Stack, scenario: Pick<Scenario, 'prefix' | 'env'>): Environment {
  return {
    ...scenario.env,
    KAFKA_BROKERS: stack.brokers.join(','),
    SCHEMA_REGISTRY_URL: stack.registryUrl,
    KAFKA_TOPIC_PREFIX: scenario.prefix,
    LOG_LEVEL: 'warn',
  };
}

/** Starts the Genesys stand-in; resolves with what the producer needs to reach it. */
export async function startSimulator(processes: Processes, records: number): Promise<Environment> {
  const share = ['--invalid', '0.1%', '--rate', '6000'];
  return simulatorEnv(processes.start('simulator', ['serve', '--json', '--records', String(records), ...share], {}));
}

export class StageFailedError extends Error {
  constructor(what: string, { status, stdout, said }: Finished) {
    const told = [stdout, said].map((text) => text.trim()).filter((text) => text !== '');
    super(`${what} ended with status ${status}${told.length > 0 ? `: ${told.join('\n')}` : '; see above'}`);
  }
}
