import { planRoutes } from '@genesys-kafka/routing';
import { createLogger, printJson, settingsReference, type Logger } from '@genesys-kafka/runtime';
import { Command, CommanderError, Option } from 'commander';
import { readSettings } from '../config.ts';
import type { Settings } from '../settings.ts';
import { checkConsumer } from './check.ts';
import { countLetters, listLetters, replayLetters, showLetter } from './dead-letters.ts';
import { printChecks, printLetter, printLetters, printReplay, printRun, printStats } from './print.ts';
import { printRuleTest } from './print-rule-test.ts';
import { count, givenSettings, rate, runOptions, type RunFlags } from './run-options.ts';
import { runConsumer } from './run.ts';
import { testRules } from './test-rules.ts';

interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

interface Session {
  readonly settings: Settings;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Whether the command line names `run`, the only command that a signal ends normally. */
export function isOneShot(args: readonly string[]): boolean {
  const command = args.find((word, index) => !word.startsWith('-') && args[index - 1] !== '--config');
  return command !== 'run';
}

/** Parses the command line and runs one command; resolves with the exit status (design.md, "Commands"). */
export async function runCommand(argv: readonly string[], signal: AbortSignal): Promise<number> {
  let status = 0;
  const program = new Command('consumer')
    .description('Routes conversation details from Kafka to their targets, with retries and dead letters.')
    .option('--config <file>', 'YAML configuration; the environment wins over it')
    .option('--json', 'print one JSON document to stdout when the command ends')
    .showHelpAfterError('Try --help.')
    .exitOverride();
  const session = (flags: object = {}): Session => {
    const settings = readSettings({ file: program.opts<Common>().config, flags: givenSettings(flags) });
    return { settings, signal, log: createLogger({ name: 'consumer', level: settings.log.level }) };
  };
  /** Prints the report as the command line asks for it. */
  const report = async <T>(document: T, print: (document: T) => void): Promise<void> => {
    if (program.opts<Common>().json) await printJson(document);
    else print(document);
  };

  const run = program.command('run').description('route and deliver until SIGTERM');
  for (const option of runOptions()) run.addOption(option);
  run.action(async (flags: RunFlags) => {
    const { settings, log } = session(flags);
    await report(await runConsumer(settings, flags, log, signal), printRun);
  });
  program
    .command('check')
    .description('try brokers, topics, registry and each sink, and say what to fix')
    .action(async () => {
      const { settings, log } = session();
      const checks = await checkConsumer(settings, log, signal);
      const ok = checks.every((check) => check.ok);
      await report({ ok, checks }, printChecks);
      status = ok ? 0 : 1;
    });
  program
    .command('test')
    .description('which routes take each record of a JSON or NDJSON file, without Kafka')
    .argument('<file>', 'an array of conversations, an object with `conversations`, or one a line')
    .action(async (file: string) => {
      const { settings } = session();
      await printRuleTest(testRules(file, planRoutes(settings), signal), program.opts<Common>().json === true);
    });
  addDeadLetters(program, session, report);

  program.addHelpText('after', () => helpText());
  inheritSettings(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return status;
}

function addDeadLetters(
  program: Command,
  session: () => Session,
  report: <T>(document: T, print: (document: T) => void) => Promise<void>,
): void {
  const letters = program.command('dead-letters').description('list, look at and replay what was given up');
  const route = () => new Option('--route <name>', 'only of this route');
  const stage = () =>
    new Option('--stage <name>', 'only of this stage').choices([
      'parse',
      'validate',
      'oversize',
      'decode',
      'route',
      'deliver',
    ]);
  letters
    .command('list')
    .description('dead letters without their values, each once')
    .addOption(route())
    .addOption(stage())
    .addOption(new Option('--limit <n>', 'at most so many').argParser(count).default(100))
    .action(async ({ limit, ...filter }: { route?: string; stage?: string; limit: number }) =>
      report(await listLetters(session(), filter, limit), printLetters),
    );
  letters
    .command('show')
    .description('one dead letter with headers and value')
    .argument('<id>', 'as listed')
    .action(async (id: string) => report(await showLetter(session(), id), printLetter));
  letters
    .command('stats')
    .description('how many, by route, stage and cause')
    .addOption(route())
    .addOption(stage())
    .action(async (filter: { route?: string; stage?: string }) =>
      report(await countLetters(session(), filter), printStats),
    );
  letters
    .command('replay')
    .description('send dead letters back to their routes, each once; the same command again goes on where it stopped')
    .addOption(route())
    .addOption(stage())
    .addOption(new Option('--rate <n/s>', 'at most so many a second').argParser(rate).default(50, '50/s'))
    .option('--dry-run', 'say what would be done, and write nothing')
    .action(async (options: { route?: string; stage?: string; rate: number; dryRun?: boolean }) => {
      const { rate: perSecond, dryRun = false, ...filter } = options;
      const { log, ...rest } = session();
      const onProgress = (replayed: number) => log.info({ replayed }, 'dead letters replayed');
      await report(await replayLetters({ log, ...rest }, { filter, perSecond, dryRun, onProgress }), printReplay);
    });
}

function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}

/** Every setting of the file with its environment variable: what `--help` ends with. */
function helpText(): string {
  const rows = settingsReference().map(({ path, env, type, default: initial, description }) => {
    const notes = [env, type, initial === undefined ? undefined : `default ${initial}`].filter(
      (note) => note !== undefined,
    );
    return `  ${path} (${notes.join(', ')})\n      ${description}`;
  });
  return `
Exit status: 0 done (run: also after SIGTERM), 1 the run could not go on, 2 bad usage or configuration,
130/143 another command stopped by a signal.

Settings of the --config file, each with its environment variable where it has one; every secret also as <NAME>_FILE:
${rows.join('\n')}`;
}
