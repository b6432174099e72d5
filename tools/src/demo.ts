/**
 * `npm run demo`: the main job on one machine, with a real Kafka and a real schema registry. See `--help`.
 */
import { parseArgs } from 'node:util';
import { createKafkaClient, type KafkaClient } from '@genesys-kafka/kafka';
import { createProgress } from '@genesys-kafka/runtime';
import { runMain } from '@genesys-kafka/runtime/cli';
import { startStack, type Stack } from '@genesys-kafka/testing';
import { FOLLOWED, followOrganisation } from './demo/follow.ts';
import { tellFollowed } from './demo/follow-report.ts';
import { mendAndReplay, startLetterStore, type LetterStore } from './demo/letters.ts';
import { Processes, type Environment, type Finished } from './demo/processes.ts';
import { readBack } from './demo/read-back.ts';
import { tellOutcomes, type Outcome } from './demo/report.ts';
import {
  makeFiles,
  ROUTES,
  stackEnv,
  StageFailedError,
  scenarios,
  startSimulator,
  type ConsumerReport,
  type DemoFiles,
  type ProducerReport,
  type Scenario,
} from './demo/stage.ts';
import { startTarget, type Target, type TargetCounts } from './demo/target.ts';

const HELP = `npm run demo -- [--records N] [--archive FILE] [--only export|run] [--keep]

Exports a day of conversations from a Genesys Cloud stand-in onto a real Kafka under both contracts, delivers them to
a target that is slow, busy, down and choosy, reads the topics back and checks that everything adds up. Mends the target,
replays what it refused from object storage, and checks that each is delivered once. Then follows an organisation through
four days that pass in 36 seconds, while its conversations come late and change, and checks that the topic is what the
organisation is at the end.

  --only PART      the exports, or the days alone
  --records N      conversations of the exported day (default 20000)
  --archive FILE   publish this archive (ZIP, gzip, JSON, NDJSON) instead
  --keep           leave everything running at the end and print the addresses; Ctrl-C ends it
`;

/** A connector of the demo, and where its topics are. */
interface Connector {
  readonly prefix: string;
  readonly name: string;
}

/** Days that go by while they are followed. */
const DAYS = { days: 4, speed: 9600, perDay: 1000 };

const print = (text: string) => process.stdout.write(`${text}\n`);
const say = (text: string) => process.stderr.write(`${text}\n`);

await runMain(async ({ signal }) => {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '20000' },
      archive: { type: 'string' },
      only: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const records = Number(values.records);
  if (!Number.isInteger(records) || records < 1) {
    say(`--records is ${values.records}; write a whole number of at least 1.`);
    return 2;
  }
  const { only = 'both', archive } = values;
  if (!['both', 'export', 'run'].includes(only) || (only === 'run' && archive !== undefined)) {
    say(`--only is ${only}; write export or run, and run only without --archive.`);
    return 2;
  }
  await using files = await makeFiles(records);
  say('● Kafka and the schema registry');
  await using stack = await startStack({ signal, onProgress: (line) => say(`  ${line}`) });
  await using processes = new Processes();
  const sums: boolean[] = [];
  const connectors: Connector[] = [];
  let simulator: Environment = {};
  if (only !== 'run') {
    if (archive === undefined) simulator = await startSimulator(processes, records);
    await using store = await startLetterStore(signal, say);
    const outcomes: Outcome[] = [];
    const played = scenarios(archive, files, simulator);
    for (const scenario of played) {
      const stage = { stack, files, processes, store: store?.settings, signal };
      outcomes.push(await play(scenario, stage, scenario === played.at(-1)));
      connectors.push({ prefix: scenario.prefix, name: scenario.env.CONNECTOR_NAME! });
    }
    sums.push(tellOutcomes(outcomes));
  }
  if (only !== 'export' && archive === undefined) {
    const seconds = (DAYS.days * 86_400) / DAYS.speed;
    say(`\n● producer run: ${DAYS.days} days in ${seconds} seconds, which change behind its back`);
    sums.push(tellFollowed(await followOrganisation(DAYS, stack, files.dir, processes, signal), print));
    connectors.push(FOLLOWED);
  }
  const adds = sums.every(Boolean);
  process.stdout.write(adds ? '\nEverything adds up.\n' : '\nIt does NOT add up: see the lines marked ✖.\n');
  if (values.keep) await keep(stack, simulator, connectors, signal);
  return adds ? 0 : 1;
});

interface Stage {
  readonly stack: Stack;
  readonly files: DemoFiles;
  readonly processes: Processes;
  readonly store: LetterStore['settings'] | undefined;
  readonly signal: AbortSignal;
}

/** Exports and delivers, reads the topics back, and at the end replays what was refused. */
async function play(scenario: Scenario, stage: Stage, isLast: boolean): Promise<Outcome> {
  const { stack, files, processes, store, signal } = stage;
  const env = stackEnv(stack, scenario);
  say(`● producer ${scenario.producerArgs[0]} (${scenario.name})`);
  const producer = await processes.run('producer', scenario.producerArgs, env, signal);
  // 3: finished, and some records were invalid, as the stand-in makes some on purpose.
  if (producer.status !== 0 && producer.status !== 3) throw new StageFailedError('the producer', producer);
  const produced = JSON.parse(producer.stdout) as ProducerReport;

  say(`● consumer run --drain (${scenario.name})`);
  await using target = await startTarget();
  const objects = store && { ...store, prefix: `${scenario.name}/` };
  const config = await files.consumerConfig(target.url, objects);
  const run = async (...args: string[]) => processes.run('consumer', [...args, '--config', config], env, signal);
  const consumer = await deliver(target, async () => run('run', '--drain', '--json'));
  if (consumer.status !== 0) throw new StageFailedError('the consumer', consumer);
  const consumed = JSON.parse(consumer.stdout) as ConsumerReport;
  tellTarget(target.counts);

  const found = await withClient(stack, async (client) => readBack(client, scenario.prefix));
  const outcome = { scenario, produced, producer, consumed, consumer, found };
  if (!isLast) return outcome;
  say('\n● what the target refused');
  return { ...outcome, letters: await mendAndReplay({ store, routes: ROUTES, target, consumer: run, say }) };
}

/** Shows what the target takes while the consumer drains the topics. */
async function deliver(target: Target, drain: () => Promise<Finished>): Promise<Finished> {
  using progress = createProgress();
  const task = progress.task('deliver', { unit: 'records' });
  target.onDelivered = () => task.advance(1);
  try {
    return await drain();
  } finally {
    target.onDelivered = () => undefined;
    task.done();
  }
}

async function withClient<T>(stack: Stack, work: (client: KafkaClient) => Promise<T>): Promise<T> {
  const client = createKafkaClient({ clientId: 'demo', brokers: stack.brokers });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function tellTarget(counts: TargetCounts): void {
  const { tooMany, unavailable, refused, repeated } = counts;
  say(
    `  the target answered 429 ${tooMany} times and 503 ${unavailable} times, refuses ${refused.size} records,` +
      ` and saw ${repeated} records again with a key it knew`,
  );
}

async function keep(
  stack: Stack,
  simulator: Readonly<Record<string, string>>,
  connectors: readonly Connector[],
  signal: AbortSignal,
): Promise<void> {
  const env = { KAFKA_BROKERS: stack.brokers.join(','), SCHEMA_REGISTRY_URL: stack.registryUrl, ...simulator };
  say('\nStill running. In another terminal:');
  for (const [name, value] of Object.entries(env)) say(`  export ${name}=${value}`);
  for (const { prefix, name } of connectors) {
    say(`  KAFKA_TOPIC_PREFIX=${prefix} CONNECTOR_NAME=${name} npm run -s producer -- status`);
  }
  say('Ctrl-C ends it.');
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  await promise;
}
