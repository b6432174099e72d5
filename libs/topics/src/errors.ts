import { OperationalError } from '@genesys-kafka/resilience';

/** A value that is not in Confluent's wire format. One record's fault: the record is a dead letter, the run goes on. */
export class FramingError extends OperationalError {
  constructor(code: 'frame-too-short' | 'frame-wrong-magic' | 'frame-missing', message: string) {
    super(code, message, { scope: 'source' });
  }
}

/** Headers of a retry or dead-letter record that this program did not write, or that were damaged on the way. */
export class HeaderError extends OperationalError {
  constructor(header: string, problem: string) {
    super('header-invalid', `Header "${header}" ${problem}: this record was not moved here by this program.`, {
      scope: 'source',
      details: { header },
    });
  }
}
