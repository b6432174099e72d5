import { Command, CommanderError } from 'commander';
import { durationArgument, instantArgument } from './arguments.ts';
import { checkCommand } from './check.ts';
import { exportCommand, type ExportOptions } from './export.ts';
import { publishCommand } from './publish.ts';
import type { Common } from './session.ts';
import { statusCommand } from './status.ts';

/** Parses the command line and runs one command; resolves with the exit status (design.md, "Commands"). */
export async function runCommand(argv: readonly string[], signal: AbortSignal): Promise<number> {
  let status = 0;
  const run = async (command: Promise<number>) => {
    status = await command;
  };
  const program = new Command('producer')
    .description('Brings Genesys Cloud conversation details onto Kafka, each record exactly once.')
    .option('--config <file>', 'YAML configuration; the environment wins over it')
    .option('--json', 'print one JSON document to stdout when the command ends')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.stdout.write(text),
      writeErr: (text) => process.stderr.write(text),
    });
  const common = () => program.opts<Common>();

  program
    .command('export')
    .description(
      'plan, run and finish one export of an interval, then exit; the same command again goes on where it stopped',
    )
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
    .action((options: ExportOptions) => run(exportCommand(common(), options, signal)));

  program
    .command('publish')
    .description('publish archives: ZIP, gzip, JSON or NDJSON from paths, directories, globs or https: links')
    .argument('<source...>', 'what to publish')
    .option('--again', 'publish everything anew, as a new generation')
    .action((sources: string[], options: { again?: boolean }) =>
      run(publishCommand(common(), sources, options, signal)),
    );

  program
    .command('status')
    .description('what the ledger says of every export, now')
    .action(() => run(statusCommand(common(), signal)));

  program
    .command('check')
    .description('try every connection and permission that the configuration needs, and say what to fix')
    .action(() => run(checkCommand(common(), signal)));

  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return status;
}

const HELP = `
Exit status: 0 done, 1 the run could not go on, 2 bad usage or configuration,
3 finished but something was rejected, partial or invalid, 130/143 stopped by a signal.
Settings and their environment variables: README.md, "Settings".`;
