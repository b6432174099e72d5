/**
 * The process that owns a Postgres server and its data: `node postgres-host.ts <directory> <uid> <program> <argument> …`,
 * forked by whoever wants the server. It starts, stops and kills it as it is told; when the one that asked for it ends,
 * however it ends, the channel between the two closes, and server and directory go.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

export type PostgresOrder = 'start' | 'stop' | 'kill';
export interface PostgresReport {
  readonly order: PostgresOrder;
  /** What the server wrote, where it ended instead of being ready. */
  readonly failure?: string;
}

const KEPT_CHARACTERS = 4000;

const [dir, uid, program, ...args] = process.argv.slice(2);
/** Postgres refuses to run as root. */
const user = uid === '' ? {} : { uid: Number(uid), gid: Number(uid) };
let server: ChildProcess | undefined;
let ended = Promise.resolve();

function start(): void {
  const child = spawn(program!, args, { ...user, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let isReady = false;
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-KEPT_CHARACTERS);
    if (isReady || !said.includes('ready to accept connections')) return;
    isReady = true;
    tell({ order: 'start' });
  });
  ended = new Promise((resolve) => {
    child.once('error', (error) => {
      tell({ order: 'start', failure: error.message });
      resolve();
    });
    child.once('close', () => {
      server = undefined;
      if (!isReady) tell({ order: 'start', failure: said });
      resolve();
    });
  });
  server = child;
}

/** SIGINT: sessions are told and ended, the data is flushed. SIGQUIT: all at once, and the next start recovers. */
async function end(order: PostgresOrder): Promise<void> {
  server?.kill(order === 'stop' ? 'SIGINT' : 'SIGQUIT');
  await ended;
}

function tell(report: PostgresReport): void {
  if (process.connected) process.send!(report);
}

process.on('message', (order: PostgresOrder) => {
  if (order === 'start') start();
  else void end(order).then(() => tell({ order }));
});
process.once('disconnect', () => {
  void end('kill').then(() => {
    rmSync(dir!, { recursive: true, force: true });
    process.exit(0);
  });
});
// A Ctrl-C on a terminal reaches the asker too, whose end ends this.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
