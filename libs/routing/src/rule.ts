import { compileCel, type CelInput } from './cel.ts';
import { expressionInvalid, ruleInvalid } from './errors.ts';

export type RuleVerdict = { readonly matched: boolean } | { readonly error: string };

export interface Rule {
  /**
   * `matched`, or an `error` in fixed words with a column, never a value of the record. Never throws.
   * A field, list element or header that is not there makes the rule false; `||`, `&&` and `exists` decide without it
   * where they can, as CEL says.
   */
  evaluate(input: CelInput): RuleVerdict;
}

/**
 * Compiles a CEL expression over `record` and `headers`. Syntax errors, unknown variables, type errors, bad regular
 * expressions and rules that are not true or false are a `rule-invalid` naming the route and the column.
 */
export function compileRule(expression: string, route: string): Rule {
  return compile(expression, (problem, column) => ruleInvalid(route, problem, expression, column));
}

/** The same for an expression that was given to a command as `name`: faults are `expression-invalid`. */
export function compileExpression(expression: string, name: string): Rule {
  return compile(expression, (problem, column) => expressionInvalid(name, problem, expression, column));
}

function compile(expression: string, invalid: (problem: string, column?: number) => Error): Rule {
  const fail = (problem: string, start?: number) => invalid(problem, start === undefined ? undefined : start + 1);
  const program = compileCel(expression, fail);
  if (program.type !== 'bool' && program.type !== 'dyn') throw fail(`it gives ${program.type}, not true or false`);
  return {
    evaluate: (input) => {
      const result = program.run(input, truth, 'the rule did not give true or false');
      if ('value' in result) return { matched: result.value };
      return result.missing ? { matched: false } : { error: result.failed };
    },
  };
}

function truth(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}
