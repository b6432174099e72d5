/**
 * `node libs/testing/src/run-with-stack.ts -- <command …>` runs a command with a one-broker stack and its registry in
 * KAFKA_BROKERS and SCHEMA_REGISTRY_URL, hands signals on, ends everything, and exits as the command did.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { OperationalError } from '@genesys-kafka/resilience';
import { startStack } from './stack.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const aborting = new AbortController();
let received: NodeJS.Signals | undefined;
let child: ChildProcess | undefined;

for (const signal of FORWARDED) {
  process.on(signal, () => {
    received = signal;
    // A terminal's Ctrl-C has reached the command already: a second one would mean "at once".
    if (child && !(signal === 'SIGINT' && process.stderr.isTTY)) child.kill(signal);
    if (!child) aborting.abort();
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...args] = argv[0] === '--' ? argv.slice(1) : argv;
  if (command === undefined) {
    console.error('usage: node libs/testing/src/run-with-stack.ts -- <command> [argument …]');
    return 2;
  }
  const startedMs = performance.now();
  const say = (line: string) => console.error(`stack: ${line}`);
  try {
    await using stack = await startStack({ signal: aborting.signal, onProgress: say });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    say(`up by ${stack.provider} after ${seconds} s: ${stack.brokers.join(',')} ${stack.registryUrl}`);
    return await run(command, args, {
      KAFKA_BROKERS: stack.brokers.join(','),
      SCHEMA_REGISTRY_URL: stack.registryUrl,
    });
  } catch (error) {
    if (received) return signalStatus(received);
    if (!(error instanceof OperationalError)) throw error;
    console.error(error.message);
    return error.scope === 'usage' ? 2 : 1;
  }
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  // The setting was for this stack: whatever else the command starts (three brokers, say) is free to go by another.
  const { GENESYS_KAFKA_STACK: _, ...inherited } = process.env;
  child = spawn(command, args, { stdio: 'inherit', env: { ...inherited, ...env } });
  child.once('error', (error) => {
    console.error(`cannot run ${command}: ${error.message}`);
    // A shell's answers: no such command, or one that cannot be run.
    resolve((error as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126);
  });
  child.once('exit', (code, signal) => resolve(signal ? signalStatus(signal) : (code ?? 1)));
  return promise;
}

function signalStatus(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
