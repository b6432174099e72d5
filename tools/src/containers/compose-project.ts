import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const COMPOSE_FILE = join(import.meta.dirname, '../../../docker/compose.yaml');

/** Runs docker; resolves with what it printed, rejects with what it complained of. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await exec('docker', args)).stdout.trim();
}

/** One running copy of docker/compose.yaml, under a name of its own. */
export interface ComposeProject extends AsyncDisposable {
  readonly name: string;
  /** Runs a command of docker compose, in whichever form the machine has it; resolves with what it printed. */
  compose(...args: readonly string[]): Promise<string>;
  /** Id of a service's container, also of one that has ended. */
  container(service: string): Promise<string>;
}

/** Settings are compose.yaml's variables. Disposing ends the containers and removes their volumes. */
export async function composeProject(settings: Readonly<Record<string, string>>): Promise<ComposeProject> {
  const name = `genesys-kafka-${randomBytes(4).toString('hex')}`;
  const [command, ...first] = await composeCommand();
  const compose = async (...args: readonly string[]) => {
    const all = [...first, '--project-name', name, '--file', COMPOSE_FILE, ...args];
    return (await exec(command!, all, { env: { ...process.env, ...settings }, maxBuffer: 2 ** 26 })).stdout.trim();
  };
  return {
    name,
    compose,
    container: async (service) => compose('ps', '--all', '--quiet', service),
    async [Symbol.asyncDispose]() {
      await compose('down', '--volumes', '--remove-orphans', '--timeout', '5');
    },
  };
}

/** The plugin, or where it is missing the program of old. */
async function composeCommand(): Promise<string[]> {
  const plugin = ['docker', 'compose'];
  return exec('docker', ['compose', 'version']).then(
    () => plugin,
    () => ['docker-compose'],
  );
}
