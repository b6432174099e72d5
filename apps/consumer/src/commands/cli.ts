import { createProgram, lookOnly, type Handle } from '@genesys-kafka/runtime/cli';
import { requireSettings } from '@genesys-kafka/runtime/settings';
import { Option, type Command } from 'commander';
import type { Settings } from '../settings.ts';
import { addDeadLetters } from './dead-letters/command-line.ts';
import type { ExplainFlags } from './explain/command.ts';
import type { PauseFlags } from './operate.ts';
import { runLines } from './report-lines.ts';
import { runOptions, shortText, span, type RunFlags } from './run-options.ts';

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
  const explain = handle(async (session, key: string, flags: ExplainFlags) => {
    const { explainCommand, explanationLines } = await import('./explain/command.ts');
    await session.tell(await explainCommand(session, key, flags), explanationLines);
    return 0;
  });
  program
    .command('explain')
    .summary('what became of the records of a key')
    .description('where the records of a key came from, which routes take them, what became of each, and what is next')
    .argument('<key>', 'a conversationId')
    .addOption(new Option('--within <time>', 'read no longer than that').argParser(span).default(30_000, '30s'))
    .option('--payload', 'show the records as well')
    .action(explain);
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
