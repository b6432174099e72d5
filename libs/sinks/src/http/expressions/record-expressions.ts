import type { Delivery, DeliveryOutcome } from '@genesys-kafka/delivery';
import { compileText, type TextExpression } from '@genesys-kafka/routing';
import { parseRecord } from '@genesys-kafka/topics';
import { sinkOptionInvalid } from '../../errors.ts';
import { HEADER_TEXT } from '../header-texts.ts';
import { METHODS } from '../http-options.ts';
import type { PathTemplate } from './path-template.ts';

export interface ExpressionOptions {
  /** CEL that gives POST, PUT or PATCH. */
  readonly method?: string | undefined;
  /** CEL for each `{name}` in the URL's path or query. */
  readonly path: Readonly<Record<string, string>>;
  /** CEL for each header. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a record says of its own request. */
export interface OwnRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const MOST_HEADER_CHARACTERS = 4096;

/** Compiled once, asked for each record. Throws `sink-option-invalid` for expressions that cannot be used. */
export class RecordExpressions {
  readonly #path: PathTemplate;
  readonly #texts: readonly (readonly [option: string, name: string, expression: TextExpression])[];

  constructor(sink: string, options: ExpressionOptions, path: PathTemplate) {
    const compile = (option: string, name: string, text: string) =>
      [
        option,
        name,
        compileText(text, (problem) => sinkOptionInvalid(sink, label(option, name), `is not usable: ${problem}`)),
      ] as const;
    this.#path = path;
    const unknown = Object.keys(options.path).find((name) => !path.names.includes(name));
    if (unknown !== undefined) throw sinkOptionInvalid(sink, label('path', unknown), `has no {${unknown}} in the url`);
    const lacking = path.names.find((name) => !Object.hasOwn(options.path, name));
    if (lacking !== undefined)
      throw sinkOptionInvalid(sink, 'url', `has {${lacking}}; say what it is under expressions.path`);
    this.#texts = [
      ...(options.method === undefined ? [] : [compile('method', '', options.method)]),
      ...Object.entries(options.path).map(([name, text]) => compile('path', name, text)),
      ...Object.entries(options.headers).map(([name, text]) => compile('headers', name.toLowerCase(), text)),
    ];
  }

  get isEmpty(): boolean {
    return this.#texts.length === 0;
  }

  /** Or, where an expression fails, what becomes of this record alone. */
  of({ body, headers }: Delivery): OwnRequest | DeliveryOutcome {
    const read = parseRecord({ kind: 'record', body, contentType: 'application/json' });
    if (read.kind === 'unreadable') return wrong(read.reason);
    const input = { record: read.parsed, headers: textsOf(headers) };
    const found = { method: {}, path: {}, headers: {} } as Record<string, Record<string, string>>;
    for (const [option, name, expression] of this.#texts) {
      const given = expression.evaluate(input);
      const problem = 'error' in given ? given.error : problemWith(option, given.text);
      if (problem !== undefined) return wrong(`${label(option, name)}: ${problem}`);
      found[option]![name] = (given as { readonly text: string }).text;
    }
    const path = this.#path.fill(found.path!);
    if (path === undefined) return wrong('expressions.path: gives nothing that a path can hold');
    const method = found.method![''];
    return { ...(method === undefined ? {} : { method }), path, headers: found.headers! };
  }
}

function label(option: string, name: string): string {
  return name === '' ? `expressions.${option}` : `expressions.${option}.${name}`;
}

/** Never with the text itself. */
function problemWith(option: string, text: string): string | undefined {
  if (option === 'method')
    return METHODS.some((method) => method === text) ? undefined : `gives none of ${METHODS.join(', ')}`;
  if (option !== 'headers') return undefined;
  if (text.length > MOST_HEADER_CHARACTERS) return `gives more than ${MOST_HEADER_CHARACTERS} characters`;
  return HEADER_TEXT.test(text) ? undefined : 'gives what a header cannot carry';
}

function wrong(reason: string): DeliveryOutcome {
  return { kind: 'rejected', failure: { cause: 'expression-error', reason }, unsent: true };
}

function textsOf(headers: Readonly<Record<string, Buffer>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString('utf8')]));
}
