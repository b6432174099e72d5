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
