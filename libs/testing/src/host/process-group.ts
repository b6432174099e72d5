import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  /** Everything the process has written since it was started. */
  output(): string;
  /** Signals the process and whatever it has started. */
  kill(signal: NodeJS.Signals): void;
}

export interface ProcessGroupOptions {
  readonly logsDir: string;
  readonly onSpawn: (pid: number, name: string) => void;
  readonly onExit: (process: ManagedProcess, exit: Exit) => void;
}

/** The processes of one stack. Each leads a process group of its own, so that a kill takes its children along. */
export class ProcessGroup implements AsyncDisposable {
  readonly #options: ProcessGroupOptions;
  readonly #running = new Set<ManagedProcess>();
  #closed = false;

  constructor(options: ProcessGroupOptions) {
    this.#options = options;
    mkdirSync(options.logsDir, { recursive: true });
  }

  /** Starts `command`; what it writes is appended to `<logs>/<name>.log`. Rejects if there is no such command. */
  async spawn(
    name: string,
    command: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<ManagedProcess> {
    if (this.#closed) throw new Error('the stack is being closed');
    const logFile = join(this.#options.logsDir, `${name}.log`);
    const log = openSync(logFile, 'a');
    const from = statSync(logFile).size;
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    const exit = Promise.withResolvers<Exit>();
    const started = Promise.withResolvers<undefined>();
    child.once('spawn', () => started.resolve(undefined));
    child.once('error', started.reject);
    const { pid } = child;
    if (pid === undefined) {
      await started.promise;
      throw new Error(`${command} did not start`);
    }
    const group = this.#running;
    const managed: ManagedProcess = {
      name,
      pid,
      logFile,
      exited: exit.promise,
      get running() {
        return group.has(managed);
      },
      output: () => readFileSync(logFile).subarray(from).toString(),
      kill: (signal) => killGroup(pid, signal),
    };
    group.add(managed);
    child.once('exit', (code, signal) => {
      group.delete(managed);
      exit.resolve({ code, signal });
      this.#options.onExit(managed, { code, signal });
    });
    this.#options.onSpawn(pid, name);
    await started.promise;
    return managed;
  }

  /** Kills everything at once; nothing can be started after it. Resolves when all have ended. */
  async close(): Promise<void> {
    this.killNow();
    await Promise.all([...this.#running].map((process) => process.exited));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The part of `close` that cannot fail or wait, for a process about to end. */
  killNow(): void {
    this.#closed = true;
    for (const process of this.#running) process.kill('SIGKILL');
  }
}

/** Signals a process group; one that is gone already is fine. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Resolves when the process has written `text`. Rejects when it ends first, after `timeoutMs`, or on abort. */
export async function untilOutput(
  process: ManagedProcess,
  text: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadlineMs = performance.now() + options.timeoutMs;
  for (;;) {
    // Asked before the output is read: a process that wrote the line and ended is not ready.
    const running = process.running;
    const output = process.output();
    if (running && output.includes(text)) return;
    if (!running) throw new NotReadyError(process, 'ended before it was ready');
    if (performance.now() > deadlineMs) {
      throw new NotReadyError(process, `was not ready after ${options.timeoutMs / 1000} s`);
    }
    await delay(50, undefined, { signal: options.signal });
  }
}

/** A process that ended, or took too long, before it was of use. */
export class NotReadyError extends Error {
  /** Between the choice of a port and its use somebody else took it: a new start, on new ports, may succeed. */
  readonly portTaken: boolean;

  constructor(process: ManagedProcess, what: string) {
    const output = process.output();
    super(`${process.name} ${what}: ${tellingLine(output)}`);
    this.portTaken = /address already in use|BindException|port \d+ seems to be in use|port already bound/i.test(
      output,
    );
  }
}

/** The line of a log that tells most: the first error, else the first exception, else the last line. */
export function tellingLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const telling =
    lines.find((line) => /\b(ERROR|FATAL)\b/.test(line)) ?? lines.find((line) => /exception|error/i.test(line));
  return (telling ?? lines.at(-1) ?? 'no output').trim();
}
