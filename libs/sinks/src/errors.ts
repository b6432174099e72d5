import { OperationalError } from '@genesys-kafka/resilience';

/** A sink's settings that cannot be used. */
export class SinkOptionError extends OperationalError {
  constructor(sink: string, option: string, problem: string) {
    super('sink-option-invalid', `Sink "${sink}": ${option} ${problem}.`, {
      scope: 'usage',
      details: { sink, option },
    });
  }
}

/** A sink type that does not exist, or not yet. */
export class SinkTypeError extends OperationalError {
  constructor(sink: string, type: string, problem: string) {
    super('sink-type-unknown', `Sink "${sink}": type "${type}" ${problem}. Use http or file.`, {
      scope: 'usage',
      details: { sink },
    });
  }
}

/** `check` could not reach the target. `details.cause` is the system's code, such as ECONNREFUSED. */
export class SinkUnreachableError extends OperationalError {
  constructor(target: string, code: string, advice: string) {
    super('sink-unreachable', `Cannot connect to ${target} (${code}). ${advice}`, {
      retry: true,
      details: { target, cause: code },
    });
  }
}

/** The file of a file sink cannot be written as it is. */
export class SinkFileError extends OperationalError {
  constructor(code: 'sink-file-unusable' | 'sink-file-locked', message: string, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause });
  }
}
