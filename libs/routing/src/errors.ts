import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const ROUTING_ERRORS = {
  'reshape-invalid': {
    meaning: 'An expression of a route’s `reshape` cannot be used as it is written.',
    remedy: 'Correct it in the configuration.',
    scope: 'usage',
  },
  'rule-invalid': {
    meaning: "A route's rule cannot be used as it is written.",
    remedy: 'Correct its `when` in the configuration.',
    scope: 'usage',
  },
  'expression-invalid': {
    meaning: 'An expression that was given to a command cannot be used as it is written.',
    remedy: 'Correct it: CEL over `record` and `headers`, true or false.',
    scope: 'usage',
  },
} as const satisfies ErrorTable;

export class RoutingError extends errorsOf(ROUTING_ERRORS) {}

/** `position` is the 1-based column in the expression. */
export function ruleInvalid(route: string, problem: string, expression: string, position?: number): RoutingError {
  const where = position === undefined ? '' : ` at column ${position}`;
  return new RoutingError(
    'rule-invalid',
    `The rule of route "${route}" is not usable${where}: ${problem}. Rule: ${expression}.`,
    { details: { route, ...(position === undefined ? {} : { position }) } },
  );
}

/** Of an expression that belongs to no route; `name`: how it was given, such as `--where`. */
export function expressionInvalid(name: string, problem: string, expression: string, position?: number): RoutingError {
  const where = position === undefined ? '' : ` at column ${position}`;
  return new RoutingError('expression-invalid', `${name} is not usable${where}: ${problem}. It is: ${expression}.`, {
    details: position === undefined ? {} : { position },
  });
}

/** `position` is the 1-based column in the expression. */
export function reshapeInvalid(
  route: string,
  part: string,
  problem: string,
  expression: string,
  position?: number,
): RoutingError {
  const where = position === undefined ? '' : ` at column ${position}`;
  return new RoutingError(
    'reshape-invalid',
    `reshape.${part} of route "${route}" is not usable${where}: ${problem}. Expression: ${expression}.`,
    { details: { route, part, ...(position === undefined ? {} : { position }) } },
  );
}
