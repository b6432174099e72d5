import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startScript } from '../package-script.ts';

/** `run` promises to be gone by then. */
const STOP_MS = 25_000;
/** It is killed when it is not, so that the rest can go on. */
const KILL_MS = 60_000;
/** One that ended by itself is started again after this, as whoever looks after it would. */
const RESTART_MS = 2000;

export interface FleetOptions {
  readonly app: 'producer' | 'consumer';
  /** Of the process with this number, which counts from 1. */
  readonly args: (number: number) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the program promises to be gone by, in milliseconds: 25,000. */
  readonly stopMs?: number;
  /** One log file a process goes here. */
  readonly dir: string;
  readonly say: (text: string) => void;
}

interface Member {
  readonly name: string;
  readonly child: ChildProcess;
  readonly closed: Promise<unknown>;
  /** It has said something: by then it listens to signals. */
  hasBegun: boolean;
  /** Somebody has its end, or its pause, in hand. */
  isBusy: boolean;
}

/** Several processes of one command, and what is done to them. An end that nobody caused is a fault, and made good. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #members = new Set<Member>();
  readonly faults: string[] = [];
  #started = 0;
  #isOver = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  start(): void {
    const { app, args, env, dir } = this.#options;
    this.#started += 1;
    const name = `run-${this.#started}`;
    const child = startScript(app, args(this.#started), { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(dir, `${name}.log`));
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    const closed = once(child, 'close');
    const member: Member = { name, child, closed, hasBegun: false, isBusy: false };
    for (const output of [child.stdout!, child.stderr!]) output.once('data', () => (member.hasBegun = true));
    this.#members.add(member);
    void closed.then(([status, signal]) => {
      log.end();
      this.#members.delete(member);
      if (member.isBusy) return;
      this.#fault(`${name} ended by itself with ${String(status ?? signal)}`);
      setTimeout(() => {
        if (!this.#isOver) this.start();
      }, RESTART_MS);
    });
  }

  /** Kills one of them. Resolves with whether there was one that nothing else is being done to. */
  async kill(whom: number): Promise<boolean> {
    const member = this.#pick(whom);
    if (!member) return false;
    member.child.kill('SIGKILL');
    await member.closed;
    return true;
  }

  async pause(whom: number, forMs: number, signal: AbortSignal): Promise<boolean> {
    const member = this.#pick(whom);
    if (!member) return false;
    member.child.kill('SIGSTOP');
    await delay(forMs, undefined, { signal }).catch(() => undefined);
    member.child.kill('SIGCONT');
    member.isBusy = false;
    return true;
  }

  /** Has one end in good order: with status 0, in time. */
  async leave(whom: number): Promise<boolean> {
    const member = this.#pick(whom);
    if (!member) return false;
    await this.#stop(member);
    return true;
  }

  /** All of them. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#members].map(async (member) => this.#stop(member)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(
      [...this.#members].map(async (member) => {
        member.isBusy = true;
        member.child.kill('SIGKILL');
        await member.closed;
      }),
    );
  }

  #pick(whom: number): Member | undefined {
    const idle = [...this.#members].filter(({ isBusy }) => !isBusy);
    const member = idle[whom % idle.length];
    if (member) member.isBusy = true;
    return member;
  }

  async #stop(member: Member): Promise<void> {
    member.isBusy = true;
    const startMs = performance.now();
    member.child.kill('SIGTERM');
    const timer = setTimeout(() => member.child.kill('SIGKILL'), KILL_MS);
    await member.closed;
    clearTimeout(timer);
    const ms = performance.now() - startMs;
    const { exitCode, signalCode } = member.child;
    if (signalCode === 'SIGTERM' && !member.hasBegun) return;
    if (exitCode !== 0) this.#fault(`${member.name} ended with ${String(exitCode ?? signalCode)} after SIGTERM`);
    else if (ms > (this.#options.stopMs ?? STOP_MS))
      this.#fault(`${member.name} took ${Math.round(ms / 1000)} s to end`);
  }

  #fault(text: string): void {
    this.faults.push(text);
    this.#options.say(`  ${text}`);
  }
}
