/** Why a command's signal was aborted: somebody asked the process to end. Not a failure of anything. */
export class Interruption extends Error {
  readonly signal: NodeJS.Signals;
  /** 130 after SIGINT, 143 after SIGTERM, as shells have it. */
  readonly exitStatus: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Stopped by ${signal}.`);
    this.name = 'Interruption';
    this.signal = signal;
    this.exitStatus = signal === 'SIGINT' ? 130 : 143;
  }
}

/** Whether an error is only the echo of this abort: its reason, an AbortError, or one of them as a cause. */
export function isEchoOf(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  for (let next = error, depth = 0; next instanceof Error && depth < 10; next = next.cause, depth += 1) {
    if (next === signal.reason || next instanceof Interruption || next.name === 'AbortError') return true;
  }
  return error === signal.reason;
}
