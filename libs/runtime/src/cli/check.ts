import { OperationalError } from '@genesys-kafka/resilience';
import type { Session } from './session.ts';

export interface CheckResult {
  /** What was tried: `kafka`, `sink crm`. */
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What was found, or what is wrong and what to do. */
  readonly message: string;
}

/** One thing to try. Resolves with what was found; an `OperationalError` is a failed check, anything else a bug. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<string | Omit<CheckResult, 'check'>>;
}

const MARKS = { ok: '✔', warning: '!', failed: '✖', skipped: '-' } as const;

/**
 * Runs checks one after the other and tells of each as it ends; a failed one does not stop the rest. Resolves with the
 * exit status: 0, 1 where something failed, 2 where it was the configuration.
 */
export async function runChecks(session: Session<unknown>, checks: readonly Check[]): Promise<number> {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const results: CheckResult[] = [];
  let status = 0;
  for (const { name, run } of checks) {
    session.signal.throwIfAborted();
    let result: CheckResult;
    try {
      const found = await run();
      result = { check: name, ...(typeof found === 'string' ? { status: 'ok', message: found } : found) };
    } catch (error) {
      session.signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      result = { check: name, status: 'failed', message: `${error.code}: ${error.message}` };
      status = Math.max(status, error.scope === 'usage' ? 2 : 1);
    }
    results.push(result);
    session.say(`${MARKS[result.status]} ${name.padEnd(width)}  ${result.message}`);
  }
  await session.tell({ ok: status === 0, checks: results }, () => []);
  return status;
}
