import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { simulatorEnv, startScript, type SimulatorEnv } from '@genesys-kafka/testing';
import type { Matching, TrueVersion } from './verdict.ts';

/** A rule of the simulator's fault script. */
export interface FaultRule {
  readonly on: string;
  readonly times: number | 'always';
  readonly do: Readonly<Record<string, unknown>>;
}

export interface ClockState {
  readonly now: string;
  readonly speed: number;
  readonly dataAvailabilityDate: string;
}

export interface SimulatorStats {
  readonly requests: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly jobs: { readonly details: number; readonly archives: number; readonly openAtMost: number };
  readonly limits: Readonly<Record<string, { readonly refused: number; readonly again: number }>>;
}

interface TruthQuery {
  readonly from: string;
  readonly to: string;
  readonly at: string;
  readonly matching: Matching;
}

/** The simulator as a process, and its control routes. */
export class SimulatorProcess implements AsyncDisposable {
  readonly env: SimulatorEnv;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, env: SimulatorEnv) {
    this.#child = child;
    this.env = env;
  }

  static async start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<SimulatorProcess> {
    const child = startScript('simulator', ['serve', '--json', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return new SimulatorProcess(child, await simulatorEnv(child));
  }

  async clock(): Promise<ClockState> {
    return (await this.#call('GET', 'clock')).json() as Promise<ClockState>;
  }

  async setClock(change: { readonly now?: string; readonly speed?: number }): Promise<void> {
    await this.#call('PUT', 'clock', change);
  }

  async stats(): Promise<SimulatorStats> {
    return (await this.#call('GET', 'stats')).json() as Promise<SimulatorStats>;
  }

  async addFault(rule: FaultRule): Promise<void> {
    await this.#call('POST', 'faults', { rules: [rule] });
  }

  async clearFaults(): Promise<void> {
    await this.#call('DELETE', 'faults');
  }

  async revokeCredentials(revoked: boolean): Promise<void> {
    await this.#call('PUT', 'credentials', { revoked });
  }

  /** Every version of every conversation that belongs to the interval, as far as it is known at `at`. */
  async *truth(query: TruthQuery): AsyncGenerator<TrueVersion, void> {
    const parameters = new URLSearchParams({ ...query, versions: 'all' });
    const answer = await this.#call('GET', `truth?${parameters.toString()}`);
    const lines = createInterface({ input: Readable.fromWeb(answer.body!) });
    for await (const line of lines) if (line !== '') yield JSON.parse(line) as TrueVersion;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await closed;
  }

  async #call(method: string, path: string, body?: unknown): Promise<Response> {
    const answer = await fetch(`${this.env.GENESYS_API_URL}/_simulator/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}
