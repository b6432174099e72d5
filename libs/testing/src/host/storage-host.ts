/**
 * The process that owns a storage server and its data: `node storage-host.ts <directory> <program> <argument> …`. Its
 * stdin is a pipe from the process that asked for the server: when that one ends, however it ends, the pipe closes, and
 * server and directory go.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [dir, program, ...args] = process.argv.slice(2);
const server = spawn(program!, args, { stdio: ['ignore', 'inherit', 'inherit'] });
server.once('exit', (code) => {
  rmSync(dir!, { recursive: true, force: true });
  process.exit(code ?? 1);
});
process.stdin.resume();
process.stdin.once('close', () => server.kill('SIGKILL'));
// A Ctrl-C on a terminal reaches the asker too, whose end ends this.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
