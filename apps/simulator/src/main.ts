import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { FaultScriptError } from './faults/fault-rules.ts';
import { generateArchive } from './generate-archive.ts';
import { SimulatorOptionsError } from './options.ts';
import type { PopulationOptions, SimulatorOptions } from './options.ts';
import { startSimulator } from './simulator.ts';
import type { Simulator } from './simulator.ts';

/** What commander hands over: absent options are absent, and the schema has the defaults. */
type ServeFlags = Omit<SimulatorOptions, 'faults' | 'permissions'> & {
  faults?: string;
  permissions?: string;
  json?: boolean;
};
type ArchiveFlags = PopulationOptions & { out: string };

const PROGRAM = new Command('simulator').description(
  'A Genesys Cloud stand-in with seeded conversations and scripted faults.',
);

withPopulation(PROGRAM.command('serve', { isDefault: true }).description('serve the API, the login and the files host'))
  .option('--population <file>', 'serve the conversations of this file, JSON or NDJSON, plain or gzip, of any size')
  .option(
    '--spool-texts',
    'keep the generated texts on disk, where reading takes less than making them: for load tests',
  )
  .option('--port <n>', 'port of API and login, 0 = free (default: 0)', number)
  .option('--files-port <n>', 'port of the files host, 0 = free (default: 0)', number)
  .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
  .option('--public-host <name>', 'name that links and printed addresses bear (default: as --host)')
  .option('--client-id <id>', 'the one OAuth client (default: simulator-client)')
  .option('--client-secret <secret>', 'its secret (default: simulator-secret)')
  .option('--permissions <list>', 'comma-separated permissions of the client (default: all that are needed)')
  .option('--token-ttl, --token-ttl-seconds <s>', 'life of an access token (default: 86400)', number)
  .option('--link-ttl, --link-ttl-seconds <s>', 'life of a signed link (default: 3600)', number)
  .option('--results-ttl, --results-ttl-seconds <s>', 'life of a job’s results (default: 86400)', number)
  .option('--rate, --rate-per-minute <n>', 'requests per token and minute (default: 300)', number)
  .option('--concurrent-jobs <n>', 'jobs that may be open at once; one more is a 429 (default: any number)', number)
  .option('--submits-per-second <n>', 'jobs that may be submitted within a second (default: any number)', number)
  .option('--max-results <n>', 'results that a details job gives at most (default: any number)', number)
  .option('--max-results-at <what>', 'what fails past them: the page, or the job (default: page)')
  .option('--job-ms <ms>', 'duration of a job (default: 250)', number)
  .option('--clock <instant>', 'the organisation’s time at the start (default: the real time)')
  .option('--speed <n>', 'its seconds in a real one, 0 … 10000; 0: it stands still (default: 1)', number)
  .option('--availability <instant>', 'data from here on is not there yet (default: moving)')
  .option(
    '--availability-lag, --availability-lag-seconds <s>',
    'it moves so far behind that time (default: 3600)',
    number,
  )
  .option('--availability-step, --availability-step-seconds <s>', 'and in such steps (default: 0, smoothly)', number)
  .option('--living', 'conversations start, end, change and vanish as that time goes by; --to ends all of it')
  .option('--per-day <n>', 'living: so many start in a day (default: 20000)', number)
  .option('--late <share>', 'living: come hours after their end (default: 2%)', shareOf)
  .option('--reopened <share>', 'living: messages and e-mails that are opened again (default: 5%)', shareOf)
  .option('--reprocessed <share>', 'living: computed anew once 48 hours old (default: 20%)', shareOf)
  .option('--reviewed <share>', 'living: evaluated or surveyed days or weeks later (default: 10%)', shareOf)
  .option('--vanished <share>', 'living: deleted without a trace (default: 1%)', shareOf)
  .option('--short-pages <share>', 'share of result pages that are short or empty (default: 5%)', shareOf)
  .option('--faults <file>', 'JSON file with fault rules')
  .option('--json', 'print the addresses as one line of JSON')
  .action((flags: ServeFlags) => serve(flags));

withPopulation(PROGRAM.command('archive').description('write all conversations to a file: .zip .json .json.gz .ndjson'))
  .requiredOption('--out <file>', 'file to write; its name says the format')
  .action((flags: ArchiveFlags) => writeFile(flags));

PROGRAM.addHelpText(
  'after',
  '\nWithout a command it serves: `simulator --port 8080 --records 1000`, or conversations of your own:\n' +
    '`simulator --population FILE`. Options: `simulator serve --help`.',
);

function withPopulation(command: Command): Command {
  return command
    .option('--seed <n>', 'equal seeds give equal bytes (default: 1)', number)
    .option('--records <n>', 'number of conversations (default: 20000)', number)
    .option('--from <instant>', 'conversations start from here (default: 2025-10-01)')
    .option('--to <instant>', 'until before here (default: 2025-10-02)')
    .option('--invalid <share>', 'share of invalid records, 0.001 or 0.1% (default: 0)', shareOf)
    .option('--compression-level <n>', 'deflate level of archives, 0 … 9 (default: 6)', number);
}

async function serve({ json, faults: faultsFile, permissions, ...rest }: ServeFlags): Promise<void> {
  if (rest.population !== undefined) process.stderr.write(`Reading ${rest.population} …\n`);
  const simulator = await startSimulator({
    ...rest,
    ...(faultsFile === undefined ? {} : { faults: await readScript(faultsFile) }),
    ...(permissions === undefined ? {} : { permissions: permissions.split(',').filter(Boolean) }),
  });
  print(simulator, json === true);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await simulator.close();
}

function print(simulator: Simulator, asJson: boolean): void {
  const { apiUrl, loginUrl, filesUrl, filesHost, clientId, clientSecret } = simulator;
  const { records, fromMs, toMs } = simulator.conversations;
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  if (asJson) {
    const addresses = { apiUrl, loginUrl, filesUrl, filesHost, clientId, clientSecret, records, from, to };
    process.stdout.write(`${JSON.stringify(addresses)}\n`);
    return;
  }
  process.stdout.write(
    `${records} conversations from ${from} to ${to}\n\n` +
      `GENESYS_API_URL=${apiUrl}\nGENESYS_LOGIN_URL=${loginUrl}\nGENESYS_FILE_HOSTS=${filesHost}\n` +
      `GENESYS_CLIENT_ID=${clientId}\nGENESYS_CLIENT_SECRET=${clientSecret}\n\n` +
      `Faults: POST ${apiUrl}/_simulator/faults   Counts: GET ${apiUrl}/_simulator/stats   Time: ${apiUrl}/_simulator/clock   Stop: Ctrl-C\n`,
  );
}

async function writeFile({ out, ...population }: ArchiveFlags): Promise<void> {
  const abort = new AbortController();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(name, () => {
      process.exitCode = code;
      abort.abort();
    });
  }
  try {
    process.stdout.write(`${JSON.stringify(await generateArchive(out, population, abort.signal))}\n`);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
}

async function readScript(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SimulatorOptionsError([`faults: ${(error as Error).message}`]);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SimulatorOptionsError([`faults: ${file} is not JSON: ${(error as Error).message}`]);
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('a number is expected.');
  return value;
}

function shareOf(text: string): number {
  return text.endsWith('%') ? number(text.slice(0, -1)) / 100 : number(text);
}

try {
  PROGRAM.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  for (const command of PROGRAM.commands) command.copyInheritedSettings(PROGRAM);
  await PROGRAM.parseAsync();
} catch (error) {
  const isUsage = error instanceof SimulatorOptionsError || error instanceof FaultScriptError;
  const isSystem = error instanceof Error && 'code' in error && typeof error.code === 'string';
  if (!isUsage && !isSystem) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
