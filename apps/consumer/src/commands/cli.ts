import { createProgram, lookOnly, type Handle } from '@genesys-kafka/runtime/cli';
import { requireSettings } from '@genesys-kafka/runtime/settings';
import { Option, type Command } from 'commander';
import type { Settings } from '../settings.ts';
import { letterLines, letterListLines, replayLines, runLines, statsLines } from './report-lines.ts';
import type { PauseFlags } from './operate.ts';
import { count, rate, runOptions, shortText, type RunFlags } from './run-options.ts';

// What a command does is loaded when it runs: most of a program is of no use to its help.
/** The command line of the consumer; without a `handle` it can be looked at, and does nothing. */
export function buildProgram(handle: Handle<Settings> = lookOnly): Command {
  const program = createProgram(
    'consumer',
    'Routes records from Kafka to their targets, with retries and dead letters.',
  );
  const run = program.command('run').description('route and deliver until SIGTERM');
  for (const option of runOptions()) run.addOption(option);
  const runRoutes = handle(
    async ({ settings, log, signal, tell }, flags: RunFlags) => {
      requireSettings(settings, ['routes']);
      const { runConsumer } = await import('./run.ts');
      await tell(await runConsumer(settings, flags, log, signal), runLines);
      return 0;
    },
    { untilStopped: true },
  );
  run.action(runRoutes);
  program
    .command('check')
    .summary('try every connection, and say what to fix')
    .description('try brokers, topics, registry and each sink, and say what to fix')
    .action(handle(async (session) => (await import('./check.ts')).checkCommand(session)));
  program
    .command('test')
    .summary('which routes take which records, without Kafka')
    .description('which routes take each record of a JSON or NDJSON file, or tests of routes, without Kafka')
    .argument('<file>', 'an array of conversations, an object with `conversations`, one a line; or tests (.yaml)')
    .action(handle(async (session, file: string) => (await import('./print-rule-test.ts')).testCommand(session, file)));
  addOperating(program, handle);
  addDeadLetters(program, handle);
  return program;
}

function addOperating(program: Command, handle: Handle<Settings>): void {
  const commands = () => import('./operate.ts');
  for (const [name, state, summary, description] of [
    [
      'pause',
      'paused',
      'stop a route',
      'stop a route in all running consumers, and in later ones, until it is resumed',
    ],
    ['resume', 'running', 'let a paused route go on', 'let a paused route go on where it stopped'],
  ] as const) {
    program
      .command(name)
      .summary(summary)
      .description(description)
      .argument('<route>', 'a name under routes, or unrouted')
      .addOption(new Option('--reason <text>', 'kept with it, and shown').argParser(shortText))
      .addOption(new Option('--by <name>', 'who does this, instead of the login on this machine').argParser(shortText))
      .action(
        handle(async (session, route: string, flags: PauseFlags) =>
          (await commands()).pauseCommand(session, route, flags, state),
        ),
      );
  }
  program
    .command('drain-report')
    .summary('what is left of each route, and where')
    .description('what is left of each route, and where; ends with 3 where anything is')
    .action(handle(async (session) => (await commands()).drainReportCommand(session)));
}

interface LetterFilterFlags {
  readonly route?: string;
  readonly stage?: string;
}

function addDeadLetters(program: Command, handle: Handle<Settings>): void {
  const letters = program.command('dead-letters').description('list, look at and replay what was given up');
  const commands = () => import('./dead-letters.ts');
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
  const list = handle(async (session, { limit, ...filter }: LetterFilterFlags & { readonly limit: number }) => {
    const { listLetters } = await commands();
    await session.tell(await listLetters(session, filter, limit), letterListLines);
    return 0;
  });
  letters
    .command('list')
    .description('dead letters without their values, each once')
    .addOption(route())
    .addOption(stage())
    .addOption(new Option('--limit <n>', 'at most so many').argParser(count).default(100))
    .action(list);
  const show = handle(async (session, id: string) => {
    const { showLetter } = await commands();
    await session.tell(await showLetter(session, id), letterLines);
    return 0;
  });
  letters
    .command('show')
    .description('one dead letter with headers and value')
    .argument('<id>', 'as listed')
    .action(show);
  const stats = handle(async (session, filter: LetterFilterFlags) => {
    const { countLetters } = await commands();
    await session.tell(await countLetters(session, filter), statsLines);
    return 0;
  });
  letters
    .command('stats')
    .description('how many, by route, stage and cause')
    .addOption(route())
    .addOption(stage())
    .action(stats);
  const replay = handle(
    async (session, options: LetterFilterFlags & { readonly rate: number; readonly dryRun?: boolean }) => {
      const { rate: perSecond, dryRun = false, ...filter } = options;
      const onProgress = (replayed: number) => session.log.info({ replayed }, 'dead letters replayed');
      const { replayLetters } = await commands();
      await session.tell(await replayLetters(session, { filter, perSecond, dryRun, onProgress }), replayLines);
      return 0;
    },
  );
  letters
    .command('replay')
    .summary('send dead letters back to their routes, each once')
    .description('send dead letters back to their routes, each once; the same command again goes on where it stopped')
    .addOption(route())
    .addOption(stage())
    .addOption(new Option('--rate <n/s>', 'at most so many a second').argParser(rate).default(50, '50/s'))
    .option('--dry-run', 'say what would be done, and write nothing')
    .action(replay);
}
