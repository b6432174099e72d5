import { OperationalError } from '@genesys-kafka/resilience';
import type { Rung } from './stack.ts';

/** Why one rung of the ladder was not used, and what it would need. */
export interface RungReport {
  readonly rung: Rung;
  readonly needs: string;
  readonly reason: string;
  /** Directory with the servers' logs, where they were started at all. */
  readonly logs?: string;
}

/** No rung of the ladder brought up a stack: the message lists what each needs and why it failed. */
export class StackUnavailableError extends OperationalError {
  readonly rungs: readonly RungReport[];

  constructor(rungs: readonly RungReport[]) {
    const lines = rungs.map(({ rung, needs, reason, logs }) => {
      const where = logs === undefined ? '' : `\n    logs: ${logs}`;
      return `  ${rung}: ${reason}\n    needs: ${needs}${where}`;
    });
    super('stack-unavailable', `No Kafka and schema registry could be started.\n${lines.join('\n')}`);
    this.rungs = rungs;
  }
}

/** A setting or option of the stack that cannot be followed. */
export class StackSettingError extends OperationalError {
  constructor(message: string) {
    super('stack-setting', message, { scope: 'usage' });
  }
}

/** A running stack could not do what a test asked of it: stop, start or kill a broker. */
export class StackControlError extends OperationalError {
  constructor(message: string, cause?: unknown) {
    super('stack-control', message, { cause });
  }
}

/** One rung cannot be used; the ladder goes on with the next. */
export class RungUnavailableError extends OperationalError {
  constructor(message: string, cause?: unknown) {
    super('rung-unavailable', message, { cause });
  }
}
