import { OperationalError } from '@genesys-kafka/resilience';

/** A route's rule that cannot be used as written. `position` is the 1-based column in the expression. */
export class RuleError extends OperationalError {
  constructor(route: string, problem: string, expression: string, position: number | undefined) {
    const where = position === undefined ? '' : ` at column ${position}`;
    super(
      'rule-invalid',
      `The rule of route "${route}" is not usable${where}: ${problem}. Rule: ${expression}. ` +
        'Correct its `when` in the configuration.',
      { scope: 'usage', details: { route, ...(position === undefined ? {} : { position }) } },
    );
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

/** A setting of a route or sink that makes no sense. */
export class RoutingOptionError extends OperationalError {
  constructor(option: string, problem: string) {
    super('routing-option-invalid', `Setting ${option} ${problem}.`, { scope: 'usage', details: { option } });
  }
}
