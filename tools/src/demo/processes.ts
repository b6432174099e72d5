import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { startScript } from '@genesys-kafka/testing';

type App = Parameters<typeof startScript>[0];

const SAMPLE_MS = 200;
/** Of what a quiet process says. */
const SAID_LENGTH = 4000;
const STOP_MS = 15_000;

export type Environment = Readonly<Record<string, string>>;

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly peakBytes: number;
  /** The end of what it said, where this terminal did not show it. */
  readonly said: string;
}

export interface Launched {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** The programs that the demo starts, ended with it whatever happens. */
export class Processes implements AsyncDisposable {
  readonly #running = new Set<ChildProcess>();

  /** An app as a user runs it; its progress and log lines go to this terminal, unless it is to be quiet. */
  start(app: App, args: readonly string[], env: Environment, isQuiet = false): ChildProcess {
    const stdio = ['ignore', 'pipe', isQuiet ? 'pipe' : 'inherit'] as const;
    const child = startScript(app, args, { env: { ...base(), ...env }, stdio: [...stdio] });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }

  /** Starts an app and waits for its end. */
  async run(app: App, args: readonly string[], env: Environment, signal: AbortSignal): Promise<Finished> {
    const { finished } = this.launch(app, args, env, signal);
    return finished;
  }

  /**
   * Starts an app that is told to end when `signal` aborts. Its peak memory is read from the system while it runs; what it
   * says while it is quiet is kept.
   */
  launch(app: App, args: readonly string[], env: Environment, signal: AbortSignal, isQuiet = false): Launched {
    const child = this.start(app, args, env, isQuiet);
    return { child, finished: finish(child, signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map(end));
  }
}

async function finish(child: ChildProcess, signal: AbortSignal): Promise<Finished> {
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  let peakBytes = 0;
  let said = '';
  child.stderr?.on('data', (chunk) => (said = `${said}${String(chunk)}`.slice(-SAID_LENGTH)));
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, peakOf(child.pid))), SAMPLE_MS);
  try {
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [stdout, [status]] = await Promise.all([text(child.stdout!), closed]);
    signal.throwIfAborted();
    return { status, stdout, peakBytes, said };
  } finally {
    clearInterval(sampler);
    signal.removeEventListener('abort', stop);
  }
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await closed;
  clearTimeout(kill);
}

/** The high-water mark of a process's resident memory; 0 where the system does not tell (only Linux does). */
function peakOf(pid: number | undefined): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** As people read it. */
export function peak({ peakBytes }: Finished): string {
  return peakBytes === 0 ? 'n/a' : `${Math.round(peakBytes / 2 ** 20)} MiB`;
}

/** No setting of the user's environment leaks into the demo. */
function base(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TERM', 'NO_COLOR', 'LANG', 'LC_ALL'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
