import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const RUNTIME_ERRORS = {
  'bad-config': {
    meaning:
      'The configuration file, the environment or a flag asks for something impossible, or something needed is not set.',
    remedy: 'Correct each setting that the message names, as it says.',
    scope: 'usage',
  },
  'bad-argument': {
    meaning: 'An argument or an option of the command line cannot be used.',
    remedy: 'See --help.',
    scope: 'usage',
  },
  'http-port-unavailable': {
    meaning: 'Health and metrics cannot be served on the address that is set.',
    remedy: 'Set HTTP_PORT to a free port or HTTP_HOST to an address of this machine; HTTP_PORT=0 turns it off.',
  },
  'output-failed': {
    meaning: 'What a command tells cannot be written where it was to go: standard output, or the file that was named.',
    remedy: 'Make room there, or name a place that can be written to.',
  },
} as const satisfies ErrorTable;

export class RuntimeError extends errorsOf(RUNTIME_ERRORS) {}

/** `where` is `stdout`, `stderr` or a file's path. */
export function outputFailed(where: string, cause: NodeJS.ErrnoException): RuntimeError {
  return new RuntimeError('output-failed', `${where} cannot be written (${cause.code ?? 'error'}).`, { cause });
}

/** One thing wrong with the configuration: where it was given, what is wrong with it, and what to write instead. */
export interface SettingProblem {
  /** Setting as in the file (`kafka.requestTimeout`), or an environment variable's name. */
  readonly path: string;
  /** Where it came from: `config.yaml:12`, or the environment variable. Absent where nothing was given. */
  readonly source?: string;
  readonly problem: string;
  readonly fix: string;
}

/** Everything that is wrong with the configuration at once. */
export class ConfigError extends RuntimeError {
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map(({ path, source, problem, fix }) => {
      const where = source === undefined || source === path ? path : `${path} (${source})`;
      return `${where}: ${problem}; ${fix}`;
    });
    const message = lines.length === 1 ? lines[0]! : [`${lines.length} problems:`, ...lines].join('\n  - ');
    // Each problem ends with its own remedy, the message with the last one's.
    const remedy = problems.at(-1)?.fix ?? '';
    super('bad-config', message.slice(0, message.length - remedy.length - 1), { remedy });
    this.problems = problems;
  }
}
