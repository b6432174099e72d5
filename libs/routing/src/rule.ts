import { expressionInvalid, ruleInvalid } from './errors.ts';
import { compileExpression, type Expression, type RuleInput } from './expression.ts';

export type RuleVerdict = { readonly matched: boolean } | { readonly error: string };

export interface Rule {
  /**
   * `matched`, or an `error` in fixed words with a column, never a value of the record. Never throws.
   * A field, list element or header that is not there makes the rule false; `||`, `&&` and `exists` decide without it
   * where they can, as CEL says.
   */
  evaluate(input: RuleInput): RuleVerdict;
}

/**
 * Compiles a CEL expression over `record` and `headers`. Syntax errors, unknown variables, type errors, bad regular
 * expressions and rules that are not true or false are a `rule-invalid` naming the route and the column.
 */
export function compileRule(text: string, route: string): Rule {
  return compile(text, (problem, column) => ruleInvalid(route, problem, text, column));
}

/** The same for a condition that was given to a command as `name`: faults are `expression-invalid`. */
export function compileCondition(text: string, name: string): Rule {
  return compile(text, (problem, column) => expressionInvalid(name, problem, text, column));
}

function compile(text: string, invalid: (problem: string, column?: number) => Error): Rule {
  const fail = (problem: string, start?: number) => invalid(problem, start === undefined ? undefined : start + 1);
  const expression = compileExpression(text, fail);
  if (expression.type !== 'bool' && expression.type !== 'dyn')
    throw fail(`it gives ${expression.type}, not true or false`);
  return { evaluate: (input) => verdictOf(expression, input) };
}

function verdictOf(expression: Expression, input: RuleInput): RuleVerdict {
  const found = expression.evaluate(input);
  if ('failed' in found) return found.missing ? { matched: false } : { error: found.failed };
  if (typeof found.value === 'boolean') return { matched: found.value };
  return { error: 'the rule did not give true or false' };
}
