import { createProgram, lookOnly, type Handle } from '@genesys-kafka/runtime/cli';
import type { Command } from 'commander';
import type { Settings } from '../settings.ts';
import { durationArgument, instantArgument } from './arguments.ts';
import type { ExportOptions } from './export.ts';
import type { PublishOptions } from './publish.ts';
import { acceptPartitionsOption, newLedgerOption } from './topic-options.ts';

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
    .summary('publish archives from paths, directories, globs or links')
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
    .command('status')
    .description('what the ledger says of every export, now')
    .action(handle(async (session) => (await import('./status.ts')).statusCommand(session)));
  program
    .command('check')
    .summary('try the connections that are needed, and say what to fix')
    .description('try the connections that the configuration needs, and say what to fix')
    .action(handle(async (session) => (await import('./check.ts')).checkCommand(session)));
  return program;
}
