import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { freePorts } from './free-port.ts';

export interface Measured {
  /** Of the whole process, start included. */
  readonly seconds: number;
  readonly peakBytes: number;
  /** User and system, up to a quarter of a second before its end. */
  readonly cpuSeconds: number;
  readonly stdout: string;
  readonly delayP99Ms?: number;
}

const SAMPLE_MS = 250;

type Start = (options: { readonly env: NodeJS.ProcessEnv; readonly stdio: StdioOptions }) => ChildProcess;

/** Runs a program to its end; its peak memory is the system's own high-water mark. */
export async function measure(
  start: Start,
  env: Readonly<Record<string, string>>,
  options: { readonly watchEventLoop?: boolean } = {},
): Promise<Measured> {
  const port = options.watchEventLoop ? (await freePorts(1))[0]! : 0;
  const started = performance.now();
  const child = start({
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', HTTP_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let peakBytes = 0;
  let cpuSeconds = 0;
  let delayP99Ms: number | undefined;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, highWaterMark(child.pid!));
    cpuSeconds = Math.max(cpuSeconds, cpuTime(child.pid!));
    if (port !== 0)
      readDelay(port).then(
        (ms) => (delayP99Ms = ms),
        () => undefined,
      );
  }, SAMPLE_MS);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout!), text(child.stderr!), closed]);
  clearInterval(sampler);
  if (status !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${status}: ${stderr}`);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, peakBytes, cpuSeconds, stdout, ...(delayP99Ms === undefined ? {} : { delayP99Ms }) };
}

function highWaterMark(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** In clock ticks of a hundredth of a second, as Linux counts them on every architecture that Node runs on. */
function cpuTime(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

async function readDelay(port: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/event_loop_delay_seconds\{quantile="0\.99"\} (\S+)/.exec(metrics)?.[1]) * 1000;
}
