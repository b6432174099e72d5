import { Command, CommanderError } from 'commander';
import { toldText } from '../output.ts';
import type { MainContext } from '../run-main.ts';
import type { SettingsSources } from '../settings/load-settings.ts';
import type { SettingsDefinition } from '../settings/definition.ts';
import type { ProcessSettings, Session } from './session.ts';
import { givenFlags } from './setting-options.ts';
import { VERSION } from './version.ts';
import { settingsTopic } from './settings-help.ts';

/** Makes the `action` of a command out of what it does in its session; that resolves with the exit status. */
export type Handle<S> = <A extends unknown[]>(
  run: (session: Session<S>, ...args: A) => Promise<number>,
  options?: { /** Runs until it is told to stop: a signal is its normal end. */ readonly untilStopped?: boolean },
) => (...args: A) => Promise<void>;

/** For whoever only looks at a program's commands and options: none of them does anything. */
export const lookOnly: Handle<never> = () => async () => undefined;

const HELP = `
Exit status: 0 done, or stopped where that is the normal end, 1 the run could not
go on, 2 bad usage or configuration, 3 finished but something was rejected,
partial or invalid, 130/143 cut short by a signal.`;

/** A program without its commands yet: what all programs have in common. */
export function createProgram(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'YAML configuration; the environment wins over it')
    .option('--json', 'print one JSON document to stdout at the end')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'also of a command; --help settings [word]')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Try --help.')
    .configureOutput({ outputError: (text, write) => write(toldText(text)) })
    .exitOverride()
    .addHelpText('after', HELP);
}

export interface ProgramOptions<S> {
  readonly argv: readonly string[];
  readonly context: MainContext;
  readonly definition: SettingsDefinition;
  /** Throws a ConfigError that lists every problem. */
  readonly readSettings: (given: Omit<SettingsSources, 'env'>) => S;
}

/** Parses the command line and runs one command; resolves with the exit status, 2 for any fault of usage. */
export async function runProgram<S extends ProcessSettings>(
  build: (handle: Handle<S>) => Command,
  { argv, context, definition, readSettings }: ProgramOptions<S>,
): Promise<number> {
  let status = 0;
  const program = build((run, { untilStopped = false } = {}) => async (...args) => {
    if (untilStopped) context.runsUntilStopped();
    // What commander hands over last is the command itself.
    const command = args.at(-1) as Command;
    const { config: file, json = false } = command.optsWithGlobals<{ config?: string; json?: boolean }>();
    const settings = readSettings({ file, flags: givenFlags(command) });
    // With the logger and the bars: help and usage errors need neither.
    const { openSession } = await import('./session.ts');
    using session = openSession({ name: program.name(), settings, json, signal: context.signal });
    status = await run(session, ...args);
  });
  const topic = settingsTopic(argv.slice(2), definition);
  if (topic !== undefined) {
    process.stdout.write(topic);
    return 0;
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return status;
}
