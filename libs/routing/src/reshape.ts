import { reshapeInvalid } from './errors.ts';
import { compileExpression, type Expression, type RuleInput } from './expression.ts';
import { jsonTextOf } from './json-text.ts';
import { roundedNumbers, type RoundedNumbers } from './rounded-numbers.ts';

/** `reshape` of a route: CEL expressions over `record` and `headers`. */
export interface ReshapeSettings {
  readonly body?: string | undefined;
  readonly key?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is delivered instead of the record's own; what is absent stays as it is. */
export interface Shaped {
  readonly body?: Buffer;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Reshape = (input: RuleInput, text: string) => Shaped | { readonly failed: string };

/** Far past what a conversation comes to; the memory of one record in hand. */
const BOUNDS = { maxChars: 8 * 1024 * 1024, maxDepth: 256 };
const MAX_VALUE_CHARS = 4096;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const NONE: RoundedNumbers = new Map();

/**
 * Compiles the `reshape` of a route. `text` is the record's own text: numbers that a double does not hold come from
 * there. An expression that fails on a record, a field that is not there included, fails for that record alone; the
 * words are fixed, with the name and a column, and never hold a value of the record. Throws `reshape-invalid`.
 */
export function compileReshape(settings: ReshapeSettings, route: string): Reshape {
  const compiled = (name: string, text: string) => {
    const fail = (problem: string, start?: number) =>
      reshapeInvalid(route, name, problem, text, start === undefined ? undefined : start + 1);
    return { name, expression: compileExpression(text, fail), fail };
  };
  const body = settings.body === undefined ? undefined : compiled('body', settings.body);
  const key = settings.key === undefined ? undefined : textual(compiled('key', settings.key));
  const headers = Object.entries(settings.headers).map(([header, text]) => ({
    header,
    ...textual(compiled(`headers.${header}`, text)),
  }));
  return (input, text) => {
    const shaped: { body?: Buffer; key?: string; headers: Record<string, string> } = { headers: {} };
    if (body) {
      const made = bodyOf(body.expression, input, text);
      if ('failed' in made) return { failed: `${body.name}: ${made.failed}` };
      shaped.body = made.body;
    }
    if (key) {
      const made = valueOf(key.expression, input);
      if ('failed' in made) return { failed: `${key.name}: ${made.failed}` };
      if (made.value === undefined) return { failed: 'key: it gives null' };
      shaped.key = made.value;
    }
    for (const { header, name, expression } of headers) {
      const made = valueOf(expression, input);
      if ('failed' in made) return { failed: `${name}: ${made.failed}` };
      if (made.value === undefined) continue;
      if (!HEADER_VALUE.test(made.value)) return { failed: `${name}: it has characters that a header cannot carry` };
      shaped.headers[header] = made.value;
    }
    return shaped;
  };
}

/** Keys and header values are texts; numbers and truths become one, and null leaves a header out. */
function textual<T extends { readonly expression: Expression; readonly fail: (problem: string) => Error }>(one: T): T {
  if (!/^(?:dyn|string|int|uint|double|bool|null.*)$/.test(one.expression.type))
    throw one.fail(`it gives ${one.expression.type}, not a text`);
  return one;
}

function bodyOf(
  expression: Expression,
  input: RuleInput,
  text: string,
): { readonly body: Buffer } | { readonly failed: string } {
  const found = expression.evaluate(input);
  if ('failed' in found) return { failed: found.failed };
  const made = jsonTextOf(found.value, roundedNumbers(text), BOUNDS);
  return 'failed' in made ? made : { body: Buffer.from(made.text) };
}

function valueOf(
  expression: Expression,
  input: RuleInput,
): { readonly value: string | undefined } | { readonly failed: string } {
  const found = expression.evaluate(input);
  if ('failed' in found) return { failed: found.failed };
  const { value } = found;
  if (value === null) return { value: undefined };
  if (typeof value === 'object') return { failed: 'it does not give a text' };
  if (typeof value === 'number' && Math.abs(value) >= Number.MAX_SAFE_INTEGER) return { failed: 'a number is rounded' };
  const made = typeof value === 'string' ? { text: value } : jsonTextOf(value, NONE, BOUNDS);
  if ('failed' in made) return made;
  return made.text.length > MAX_VALUE_CHARS
    ? { failed: `it gives more than ${MAX_VALUE_CHARS} characters` }
    : { value: made.text };
}
