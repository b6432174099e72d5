import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export interface Measured {
  /** Of the whole process, start included. */
  readonly seconds: number;
  /** 0 where the system does not tell: only Linux does. So is `cpuSeconds`. */
  readonly peakBytes: number;
  /** User and system, of the process and of what it waited for. */
  readonly cpuSeconds: number;
  readonly stdout: string;
}

const SAMPLE_MS = 100;

type Start = (options: { readonly env: NodeJS.ProcessEnv; readonly stdio: StdioOptions }) => ChildProcess;

/**
 * Runs a program to its end; rejects when that is not status 0, and with the signal's reason once it has ended after an
 * abort. Its peak memory is the system's own high-water mark, asked for every tenth of a second. Its CPU time is what
 * the system adds to this process's account when a child has ended: no other child may end meanwhile.
 */
export async function measure(
  start: Start,
  env: Readonly<Record<string, string>>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Measured> {
  signal?.throwIfAborted();
  const cpuBefore = cpuTime(process.pid).endedChildren;
  const started = performance.now();
  const child = start({
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let peakBytes = 0;
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, highWaterMark(child.pid!))), SAMPLE_MS);
  const stop = () => void child.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout!), text(child.stderr!), closed]);
    const seconds = (performance.now() - started) / 1000;
    const cpuSeconds = cpuTime(process.pid).endedChildren - cpuBefore;
    signal?.throwIfAborted();
    if (status !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${status}: ${stderr}`);
    return { seconds, peakBytes, cpuSeconds, stdout };
  } finally {
    clearInterval(sampler);
    signal?.removeEventListener('abort', stop);
  }
}

function highWaterMark(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * Seconds, user and system, of a process that runs, and of its children that have ended. Linux counts them in
 * hundredths on every architecture that Node runs on; elsewhere all are 0.
 */
export function cpuTime(pid: number): { readonly own: number; readonly endedChildren: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map((ticks) => Number(ticks) / 100);
    return { own: user! + system!, endedChildren: childrenUser! + childrenSystem! };
  } catch {
    return { own: 0, endedChildren: 0 };
  }
}
