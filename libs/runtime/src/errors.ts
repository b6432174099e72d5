import { OperationalError } from '@genesys-kafka/resilience';

/** One thing wrong with the configuration: where it was given, what is wrong with it, and what to write instead. */
export interface SettingProblem {
  /** Setting as in the file (`kafka.requestTimeout`), or an environment variable's name. */
  readonly path: string;
  /** Where it came from: `config.yaml:12`, or the environment variable. Absent where nothing was given. */
  readonly source?: string;
  readonly problem: string;
  readonly fix: string;
}

/** The command line, the file or the environment asks for something impossible. Holds every problem at once. */
export class ConfigError extends OperationalError {
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map(({ path, source, problem, fix }) => {
      const where = source === undefined || source === path ? path : `${path} (${source})`;
      return `${where}: ${problem}; ${fix}`;
    });
    const message = lines.length === 1 ? lines[0]! : [`${lines.length} problems:`, ...lines].join('\n  - ');
    super('bad-config', message, { scope: 'usage' });
    this.problems = problems;
  }
}
