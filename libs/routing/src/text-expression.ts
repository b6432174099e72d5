import { compileExpression, type RuleInput } from './expression.ts';

export interface TextExpression {
  /**
   * The text, or an `error` in fixed words with a column, never a value of the record. Never throws. A field that is not
   * there is an error: nobody can say what a text without it should be.
   */
  evaluate(input: RuleInput): { readonly text: string } | { readonly error: string };
}

const GIVEN = new Set(['string', 'int', 'uint', 'double', 'bool', 'dyn']);

/**
 * Compiles a CEL expression over `record` and `headers` that gives a text, a number or a truth; throws what `fail` makes
 * of one that cannot be used as written.
 */
export function compileText(expression: string, fail: (problem: string) => Error): TextExpression {
  const program = compileExpression(expression, (problem, start) =>
    fail(start === undefined ? problem : `${problem} (column ${start + 1})`),
  );
  if (!GIVEN.has(program.type)) throw fail(`it gives ${program.type}, not a text`);
  return {
    evaluate: (input) => {
      const found = program.evaluate(input);
      if ('failed' in found) return { error: found.failed };
      const text = textOf(found.value);
      return text === undefined ? { error: 'it did not give a text' } : { text };
    },
  };
}

/** CEL's own integers are bigints. A number of the record past 2^53 may stand for another one, and is none. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}
