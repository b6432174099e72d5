import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Fleet, uniquePrefix, type Stack } from '@genesys-kafka/testing';
import kafkajs from 'kafkajs';
import { SimulatorProcess } from '../../src/living/simulator-process.ts';
import { follow, untilThere } from '../../src/living/topic-reader.ts';

export interface SceneOptions {
  readonly simulator: readonly string[];
  /** YAML: the sections `genesys` and `windows`. */
  readonly config: string;
}

/** A line of a window of `run`, as far as it matters here. */
interface WindowLine {
  readonly kind: string;
  readonly window: string;
  readonly state: string;
}

/** A stand-in, topics of its own, and as many processes of `run` as are started. */
export class Scene implements AsyncDisposable {
  readonly simulator: SimulatorProcess;
  readonly fleet: Fleet;
  readonly kafka: kafkajs.Kafka;
  readonly prefix: string;
  readonly #dir: string;
  readonly #done = new Set<string>();

  private constructor(parts: Pick<Scene, 'simulator' | 'fleet' | 'kafka' | 'prefix'>, dir: string) {
    ({ simulator: this.simulator, fleet: this.fleet, kafka: this.kafka, prefix: this.prefix } = parts);
    this.#dir = dir;
  }

  static async start(stack: Stack, options: SceneOptions): Promise<Scene> {
    const dir = await mkdtemp(join(tmpdir(), 'bench-run-'));
    const prefix = uniquePrefix();
    const simulator = await SimulatorProcess.start(options.simulator, base());
    const config = join(dir, 'config.yaml');
    await writeFile(config, `connector: bench\n${options.config}`);
    const servers = { KAFKA_BROKERS: stack.brokers.join(','), SCHEMA_REGISTRY_URL: stack.registryUrl };
    const env = { ...base(), ...simulator.env, ...servers, KAFKA_TOPIC_PREFIX: prefix };
    const args = () => ['run', '--json', '--config', config];
    const spooling = { ...env, SPOOL_DIR: join(dir, 'spool') };
    const say = (text: string) => process.stderr.write(`${text}\n`);
    const fleet = new Fleet({ app: 'producer', args, env: spooling, dir, say });
    const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING });
    return new Scene({ simulator, fleet, kafka, prefix }, dir);
  }

  /** Resolves once so many windows are done. */
  async untilDone(windows: number, signal: AbortSignal): Promise<void> {
    const ledger = `${this.prefix}export-ledger`;
    await untilThere(this.kafka, ledger, signal);
    await using watch = await follow(this.kafka, ledger, ({ value }) => {
      if (value === null) return;
      const { kind, window, state } = JSON.parse(String(value)) as WindowLine;
      if (kind === 'run-window' && state === 'done') this.#done.add(window);
      if (this.#done.size >= windows) watch.end();
    });
    await watch.until(signal);
  }

  /** Ends the processes in good order. */
  async stop(): Promise<void> {
    await this.fleet.stop();
    if (this.fleet.faults.length > 0) throw new Error(this.fleet.faults.join('; '));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await this.simulator[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Resolves once `isSo`, asked a few times a second. */
export async function until(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await isSo())) await delay(250, undefined, { signal });
}

/** No setting of the user's environment leaks in. */
function base(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
