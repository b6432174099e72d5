import { createProgram, lookOnly, type Handle } from '@genesys-kafka/runtime/cli';
import type { Command } from 'commander';
import type { Settings } from '../settings.ts';
import { countArgument, durationArgument, instantArgument } from './arguments.ts';
import type { ExportOptions } from './export.ts';
import type { PlanOptions } from './plan.ts';
import type { PublishOptions } from './publish.ts';
import { acceptPartitionsOption, newLedgerOption, type TopicOptions } from './topic-options.ts';

// What a command does is loaded when it runs: most of a program is of no use to its help.
/** The command line of the producer; without a `handle` it can be looked at, and does nothing. */
export function buildProgram(handle: Handle<Settings> = lookOnly): Command {
  const program = createProgram(
    'producer',
    'Brings Genesys Cloud conversation details onto Kafka, each record exactly once.',
  );
  program
    .command('export')
    .summary('plan, run and finish one export of an interval')
    .description('plan, run and finish one export, then exit; the same command again goes on where it stopped')
    .requiredOption('--from <time>', 'start of the interval, inclusive: 2026-01-31 or 2026-01-31T08:00:00Z', (text) =>
      instantArgument('--from', text),
    )
    .requiredOption('--to <time>', 'end of the interval, exclusive', (text) => instantArgument('--to', text))
    .option('--contract <name>', 'details-jobs or bulk-archive (default: genesys.contract)')
    .option('--query <file>', "the contract's submit body without its interval, as JSON (default: genesys.query)")
    .option('--window <time>', 'length of a window (default: windows.size)', (text) =>
      durationArgument('--window', text),
    )
    .option('--again', 'publish everything anew, as a new generation')
    .option('--changed-only', 'of a conversation and day publish only what is not as it was published last')
    .addOption(newLedgerOption())
    .addOption(acceptPartitionsOption())
    .action(
      handle(async (session, options: ExportOptions) => (await import('./export.ts')).exportCommand(session, options)),
    );
  program
    .command('publish')
    .summary('publish archives from paths or links')
    .description('publish archives: ZIP, gzip, JSON or NDJSON from paths, directories, globs or https: links')
    .argument('<source...>', 'what to publish')
    .option('--again', 'publish everything anew, as a new generation')
    .addOption(newLedgerOption())
    .addOption(acceptPartitionsOption())
    .action(
      handle(async (session, names: string[], options: PublishOptions) =>
        (await import('./publish.ts')).publishCommand(session, names, options),
      ),
    );
  program
    .command('run')
    .summary('follow the organisation until told to stop')
    .description(
      'follow the organisation from windows.from on, as its data becomes available, and read windows again for what comes ' +
        'late; any number of processes share the work',
    )
    .addOption(newLedgerOption())
    .addOption(acceptPartitionsOption())
    .action(
      handle(async (session, options: TopicOptions) => (await import('./run.ts')).runCommand(session, options), {
        untilStopped: true,
      }),
    );
  program
    .command('plan')
    .summary('what following an interval comes to, offline')
    .description(
      'what following an interval comes to: windows, jobs, requests, time, disk, topics; asks nobody and changes nothing',
    )
    .requiredOption('--from <time>', 'start of the interval, inclusive', (text) => instantArgument('--from', text))
    .requiredOption('--to <time>', 'end of the interval, exclusive', (text) => instantArgument('--to', text))
    .option('--per-day <n>', 'conversations of a day, for pages and disk', (text) => countArgument('--per-day', text))
    .option('--record-bytes <n>', 'mean length of one as JSON, for the disk (default: 8000)', (text) =>
      countArgument('--record-bytes', text),
    )
    .action(handle(async (session, options: PlanOptions) => (await import('./plan.ts')).planCommand(session, options)));
  program
    .command('status')
    .description('what the ledger says of every export, now')
    .action(handle(async (session) => (await import('./status.ts')).statusCommand(session)));
  program
    .command('check')
    .summary('try the connections, and say what to fix')
    .description('try the connections that the configuration needs, and say what to fix')
    .action(handle(async (session) => (await import('./check.ts')).checkCommand(session)));
  return program;
}
