import type { ErrorObject, ValidateFunction } from 'ajv';
import { propertyNames, violation } from './reasons.ts';

/** At most so many reasons are told of one record. */
export const MAX_REASONS = 20;
/** Places of a record that are looked at for reasons; an ordinary record has some hundreds. @internal */
export const MAX_STEPS = 20_000;
/** A schema that refers to itself may follow a record's nesting; the stack may not. */
const MAX_DEPTH = 200;

/** Compiles one piece of a schema; throws where it cannot stand alone. */
export type CompilePiece = (schema: object, options: { readonly allErrors: boolean }) => ValidateFunction;

interface Explanation {
  /** Distinct, in the order found, the first error in front. */
  readonly reasons: readonly string[];
  /** Places that were looked at: never more than `MAX_STEPS`. */
  readonly steps: number;
}

type Schema = Readonly<Record<string, unknown>>;

/** A schema's own demands on one value, and where its children's are. */
interface Piece {
  readonly isValid: ValidateFunction | undefined;
  readonly ref: Schema | undefined;
  readonly properties: readonly (readonly [name: string, schema: Schema])[];
  readonly items: Schema | undefined;
  readonly additional: Schema | undefined;
}

interface Search {
  readonly reasons: Set<string>;
  readonly path: string[];
  steps: number;
}

/** Keywords that the finder follows itself, and those that demand nothing. */
const FOLLOWED = new Set(['$ref', 'properties', 'items', 'additionalProperties', 'definitions']);
const SILENT = new Set(['$id', '$schema', '$comment', 'title', 'description', 'examples', 'default']);
/** Keywords of which one value can break only as many as there are. */
const SIMPLE = new Set(
  'type required properties format pattern minLength maxLength minimum maximum multipleOf const enum minItems maxItems'.split(
    ' ',
  ),
);

/**
 * Tells what is wrong with a record that the whole schema has refused. Ajv's own way to all errors takes time that grows
 * with the square of their number, and memory with it; this one looks at the record piece by piece and stops at
 * `MAX_REASONS` or `MAX_STEPS`, whatever the record holds.
 */
export class FaultFinder {
  readonly #root: Schema;
  readonly #compile: CompilePiece;
  readonly #pieces = new Map<Schema, Piece>();
  /** By the text of their demands: most leaves say the same. */
  readonly #compiled = new Map<string, ValidateFunction | undefined>();
  readonly #known: ReadonlySet<string>;

  constructor(schema: object, compile: CompilePiece) {
    this.#root = schema as Schema;
    this.#compile = compile;
    this.#known = propertyNames(schema);
  }

  /** `first`: what Ajv found before it stopped. It is told in any case. */
  explain(value: unknown, first: readonly ErrorObject[]): Explanation {
    const search: Search = { reasons: new Set(), path: [], steps: 0 };
    for (const error of first) search.reasons.add(violation(error, [], this.#known));
    this.#visit(this.#root, value, search, 0);
    return { reasons: [...search.reasons].slice(0, MAX_REASONS), steps: search.steps };
  }

  #visit(schema: Schema, value: unknown, search: Search, depth: number): void {
    if (hasEnough(search) || depth > MAX_DEPTH) return;
    search.steps += 1;
    const piece = this.#piece(schema);
    if (piece.isValid && !piece.isValid(value)) {
      for (const error of piece.isValid.errors ?? []) search.reasons.add(violation(error, search.path, this.#known));
    }
    if (piece.ref) this.#visit(piece.ref, value, search, depth + 1);
    if (Array.isArray(value)) this.#visitItems(piece, value, search, depth);
    else if (typeof value === 'object' && value !== null) this.#visitMembers(piece, value as Schema, search, depth);
  }

  #visitItems({ items }: Piece, value: readonly unknown[], search: Search, depth: number): void {
    if (!items) return;
    for (let index = 0; index < value.length && !hasEnough(search); index += 1) {
      this.#visitChild(items, value[index], String(index), search, depth);
    }
  }

  #visitMembers({ properties, additional }: Piece, value: Schema, search: Search, depth: number): void {
    for (const [name, schema] of properties) {
      if (Object.hasOwn(value, name)) this.#visitChild(schema, value[name], name, search, depth);
    }
    if (!additional) return;
    const named = new Set(properties.map(([name]) => name));
    for (const name in value) {
      if (hasEnough(search)) return;
      if (!named.has(name)) this.#visitChild(additional, value[name], name, search, depth);
    }
  }

  #visitChild(schema: Schema, value: unknown, name: string, search: Search, depth: number): void {
    search.path.push(name);
    this.#visit(schema, value, search, depth + 1);
    search.path.pop();
  }

  #piece(schema: Schema): Piece {
    let piece = this.#pieces.get(schema);
    if (!piece) {
      const { $ref, properties, items, additionalProperties } = schema;
      const isClosed = additionalProperties === false;
      piece = {
        isValid: this.#ownDemands(schema, isClosed),
        ref: typeof $ref === 'string' ? this.#resolve($ref) : undefined,
        properties: Object.entries(asSchema(properties) ?? {}).flatMap(([name, child]) => {
          const known = asSchema(child);
          return known ? [[name, known] as const] : [];
        }),
        items: asSchema(items),
        additional: asSchema(additionalProperties),
      };
      this.#pieces.set(schema, piece);
    }
    return piece;
  }

  /** The schema without what lies below; undefined where nothing is left, or where that cannot stand alone. */
  #ownDemands(schema: Schema, isClosed: boolean): ValidateFunction | undefined {
    const own = Object.entries(schema).filter(([keyword]) => !FOLLOWED.has(keyword) && !SILENT.has(keyword));
    if (isClosed) own.push(['additionalProperties', false]);
    if (own.length === 0) return undefined;
    // Names are all that `required` and a closed object need of the properties.
    const names = Object.keys(asSchema(schema.properties) ?? {});
    if (isClosed || 'required' in schema) own.push(['properties', Object.fromEntries(names.map((name) => [name, {}]))]);
    const allErrors = own.every(([keyword]) => SIMPLE.has(keyword));
    const text = JSON.stringify(Object.fromEntries(own));
    if (!this.#compiled.has(text)) this.#compiled.set(text, this.#compiledOrNot(text, allErrors));
    return this.#compiled.get(text);
  }

  #compiledOrNot(text: string, allErrors: boolean): ValidateFunction | undefined {
    try {
      const { definitions } = this.#root;
      const piece = JSON.parse(text) as object;
      return this.#compile(allErrors || definitions === undefined ? piece : { ...piece, definitions }, { allErrors });
    } catch {
      // It refers to something outside itself: the first error has to do for what lies there.
      return undefined;
    }
  }

  /** `#/definitions/Name`, the only kind of reference that our schema has. */
  #resolve(ref: string): Schema | undefined {
    if (!ref.startsWith('#/')) return undefined;
    let at: unknown = this.#root;
    for (const part of ref.slice(2).split('/')) at = asSchema(at)?.[part];
    return asSchema(at);
  }
}

function hasEnough({ reasons, steps }: Search): boolean {
  return reasons.size >= MAX_REASONS || steps >= MAX_STEPS;
}

function asSchema(value: unknown): Schema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
}
