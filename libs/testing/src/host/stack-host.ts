/**
 * The process that owns a stack's servers. Its stdin is a pipe from the process that asked for the stack: when that one
 * ends, however it ends, the pipe closes and the servers and their data go. It leads a process group of its own, so that
 * Ctrl-C on a terminal reaches the asker first.
 */
import { readdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcesses } from '../providers/process.ts';
import {
  brokerName,
  messages,
  type HostConfig,
  type HostedServers,
  type HostEvent,
  type HostRequest,
} from './host-protocol.ts';
import { NotReadyError, ProcessGroup, type ManagedProcess } from './process-group.ts';

const config = JSON.parse(process.argv[2] ?? '') as HostConfig;
const ended = new AbortController();
const logsDir = join(config.dir, 'logs');
/** Ends that were asked for: all others are failures, whose logs are kept. */
const expected = new Set<string>(['maven']);
let keepLogs = false;
let up = false;

const emit = (event: HostEvent) => void process.stdout.write(`${JSON.stringify(event)}\n`);
const onProgress = (line: string) => emit({ type: 'progress', line });
// The asker may be gone already; its pipe says so in its own way, on stdin.
process.stdout.on('error', () => undefined);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => ended.abort());
process.on('exit', () => group.killNow());

const group = new ProcessGroup({
  logsDir,
  onSpawn: (pid, name) => emit({ type: 'spawned', pid, name }),
  onExit: (child, { code, signal }) => {
    emit({ type: 'gone', pid: child.pid });
    if (up && !ended.signal.aborted && !expected.has(child.name)) unexpectedEnd(child, String(code ?? signal));
  },
});

function unexpectedEnd(child: ManagedProcess, status: string): void {
  keepLogs = config.keepLogs;
  onProgress(`${child.name} ended by itself (${status}); its log: ${child.logFile}`);
}

async function answer(servers: HostedServers, { id, verb, index }: HostRequest): Promise<void> {
  const name = brokerName(index);
  try {
    if (!servers.control) throw new Error('only plain processes can be');
    if (verb === 'start') expected.delete(name);
    else expected.add(name);
    await servers.control(verb, index);
    emit({ type: 'answer', id });
  } catch (error) {
    emit({ type: 'answer', id, error: (error as Error).message });
  }
}

function report(error: unknown): void {
  const portTaken = error instanceof NotReadyError && error.portTaken;
  keepLogs = config.keepLogs && !portTaken && readdirSync(logsDir).some((name) => name !== 'host.log');
  const reason = error instanceof Error ? error.message : String(error);
  emit({ type: 'failed', reason, portTaken, ...(keepLogs ? { logs: logsDir } : {}) });
}

async function clear(): Promise<void> {
  for (const name of keepLogs ? await readdir(config.dir) : ['.']) {
    if (name !== 'logs') await rm(join(config.dir, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

const aborted = new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
void aborted.then(() => group.killNow());
// Loaded only when wanted: Testcontainers is most of this process otherwise.
const start =
  config.provider === 'process' ? startProcesses : (await import('../providers/container.ts')).startContainers;
const starting = start(config, group, ended.signal, onProgress);
// Reading begins before the servers are up: the end of stdin must be seen at any time.
const reading = (async () => {
  for await (const request of messages<HostRequest>(process.stdin)) void answer(await starting, request);
})();
void reading.catch(() => undefined).then(() => ended.abort());

let servers: HostedServers | undefined;
try {
  servers = await starting;
  up = true;
  emit({ type: 'ready', brokers: servers.brokers, registryUrl: servers.registryUrl });
  await aborted;
} catch (error) {
  if (!ended.signal.aborted) report(error);
}
ended.abort();
await Promise.all([group.close(), servers?.close?.()]);
await clear();
process.exit(0);
