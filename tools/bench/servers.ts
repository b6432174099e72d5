import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { simulatorEnv, startScript, type SimulatorEnv } from '@genesys-kafka/testing';
import { untilEnd } from './until-end.ts';

/** A server that the product fetches from, in a process of its own: its CPU time is not the product's. */
export interface SourceServer extends AsyncDisposable {
  readonly pid: number;
}

/** Of this process's environment, what a server needs to run at all. */
const environment = () => ({ PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR });

/** Serves one file at `url`. */
export async function startFilesHost(file: string): Promise<SourceServer & { readonly url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'files-host.ts'), file], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { ...serving(child), url };
}

/** The Genesys stand-in, with all results ready and no limit of requests. */
export async function startSimulator(records: number): Promise<SourceServer & { readonly env: SimulatorEnv }> {
  const args = ['serve', '--json', '--records', String(records)];
  const child = startScript(
    'simulator',
    [...args, '--spool-texts', '--rate', '1000000', '--job-ms', '0', '--short-pages', '0'],
    {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return { ...serving(child), env: await simulatorEnv(child) };
}

function serving(child: ChildProcess): SourceServer {
  return {
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    },
  };
}

/** Writes an archive of the conversations that the stand-in serves; resolves with its bytes. */
export async function writeArchive(out: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  const child = startScript('simulator', ['archive', '--out', out, ...args], {
    env: environment(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const status = await untilEnd(child, signal);
  if (status !== 0) throw new Error(`simulator archive ended with ${status}`);
  return (await stat(out)).size;
}
