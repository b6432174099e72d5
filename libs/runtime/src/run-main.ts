import { writeSync } from 'node:fs';
import { OperationalError } from '@genesys-kafka/resilience';
import { Interruption, isEchoOf } from './interruption.ts';
import { flush, quietBrokenPipes, toldText } from './output.ts';
import { redactText } from './redaction.ts';

export interface MainContext {
  /** Aborted once, with an `Interruption` as its reason, by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Says that this command runs until it is told to stop: a signal is its normal end, and the status 0. Without it a
   * signal cuts the command short, and the status is 130 or 143.
   */
  readonly runsUntilStopped: () => void;
}

/** `npm run` hands on a Ctrl-C that the terminal has sent to its child already: one wish, two signals. */
const ECHO_MS = 1000;

const EXIT_STATUS = { usage: 2, run: 1, source: 3 } as const;

/**
 * Runs a command and ends the process with its exit status: 0 done · 1 the run could not go on · 2 usage or
 * configuration · 3 finished with rejected, partial or invalid · 130/143 a one-shot command cut short by a signal,
 * after `main` has closed what it opened. A second signal ends the process at once, unless it is the echo of the
 * first. Errors are told on stderr in plain words and without secrets; a bug's stack only for what is not an
 * `OperationalError`. Never resolves.
 */
export async function runMain(main: (context: MainContext) => Promise<number>): Promise<never> {
  let oneShot = true as boolean;
  const abort = new AbortController();
  let firstMs = 0;
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    const interruption = new Interruption(name);
    const nowMs = performance.now();
    const first = abort.signal.reason as Interruption | undefined;
    if (!first) {
      firstMs = nowMs;
      abort.abort(interruption);
    } else if (name !== first.signal || nowMs - firstMs > ECHO_MS) process.exit(interruption.exitStatus);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  quietBrokenPipes(crash);
  // Node would end with 13, outside of the contract, when nothing can wake `main` any more.
  process.on('beforeExit', () => crash(new Error('The command waits for something that can never happen.')));

  let status: number;
  try {
    const runsUntilStopped = () => {
      oneShot = false;
    };
    status = await main({ signal: abort.signal, runsUntilStopped });
    if (abort.signal.aborted && oneShot) status = (abort.signal.reason as Interruption).exitStatus;
  } catch (error) {
    status = statusOf(error, abort.signal, oneShot);
  }
  await flush();
  // Everything is written: what may still hold the event loop (kept-alive sockets, timers) is of no use any more.
  process.exit(status);
}

function statusOf(error: unknown, signal: AbortSignal, oneShot: boolean): number {
  if (isEchoOf(signal, error)) return oneShot ? (signal.reason as Interruption).exitStatus : 0;
  tell(error);
  return error instanceof OperationalError ? EXIT_STATUS[error.scope] : 1;
}

/** For what nobody caught: the state is unknown, so nothing more is tried. */
function crash(error: unknown): never {
  tell(error);
  process.exit(1);
}

/** Written synchronously: a crash has no later moment. */
function tell(error: unknown): void {
  try {
    writeSync(2, `${explain(error)}\n`);
  } catch {
    // Nobody is left to read it (EPIPE), or the pipe is full; the exit status still tells.
  }
}

/** `error: <code>: <message>`, the causes in a line each, and for a bug where it happened. No secrets. */
function explain(error: unknown): string {
  const lines: string[] = [];
  if (error instanceof OperationalError) {
    lines.push(`error: ${error.code}: ${toldText(error.message)}`);
  } else if (error instanceof Error) {
    lines.push('error: unexpected: this is a bug, please report it with the lines below');
    lines.push(toldText(error.stack ?? `${error.name}: ${error.message}`));
  } else {
    lines.push(`error: unexpected: ${redactText(String(error))}`);
  }
  let cause: unknown = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause instanceof Error && depth < 5; depth += 1, cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
    const text = redactText(`${code}${cause.message || cause.name}`);
    if (!lines.some((line) => line.includes(text))) lines.push(`  caused by: ${text}`);
  }
  return lines.join('\n');
}
