/** Kinds of JSON values, as bits. A number of plain digits is an INTEGER, any other a NUMBER. */
export const NULL = 1;
export const BOOLEAN = 2;
export const NUMBER = 4;
export const INTEGER = 8;
export const STRING = 16;
export const ARRAY = 32;
export const OBJECT = 64;
const ANYTHING = 127;

const TYPES: Readonly<Record<string, number>> = {
  null: NULL,
  boolean: BOOLEAN,
  number: NUMBER | INTEGER,
  integer: INTEGER,
  string: STRING,
  array: ARRAY,
  object: OBJECT,
};

/** What a schema says of one value, as far as it is understood here. */
export class SchemaNode {
  /** The kinds that are allowed: none where the schema allows none, or says something that is not understood. */
  types: number;
  minLength = 0;
  isDateTime = false;
  items: SchemaNode = this;
  /** Of the members that have a node of their own. */
  readonly members = new Map<string, SchemaNode>();
  required: readonly string[] = [];
  /** Of all other members. */
  additional: SchemaNode = this;

  constructor(types: number) {
    this.types = types;
  }
}

/** Keywords that demand nothing of a value. */
const SILENT = new Set(['$schema', '$comment', 'title', 'description', 'default', 'examples', 'definitions', '$defs']);
const DEMANDS = new Set(['type', 'properties', 'required', 'additionalProperties', 'items', 'minLength', 'format']);

/**
 * Reads a JSON Schema that Ajv has compiled. Where it has a keyword that is not known here, the node allows nothing:
 * whoever walks a record by these nodes then has no answer, and never a wrong one.
 */
export function readSchema(schema: object): SchemaNode {
  return new SchemaReader(schema).root;
}

class SchemaReader {
  readonly root: SchemaNode;
  readonly #schema: object;
  readonly #nodes = new Map<object, SchemaNode>();
  readonly #anything = new SchemaNode(ANYTHING);
  readonly #nothing = new SchemaNode(0);

  constructor({ $id: _, ...schema }: { readonly $id?: unknown }) {
    this.#schema = schema;
    // Below the root, these would change where a reference leads.
    const isOneBase = !/"\$(?:id|anchor)"/.test(JSON.stringify(schema));
    this.root = isOneBase ? this.#read(schema) : this.#nothing;
  }

  #read(schema: unknown): SchemaNode {
    if (schema === undefined || schema === true) return this.#anything;
    if (typeof schema !== 'object' || schema === null) return this.#nothing;
    const target = this.#follow(schema as Record<string, unknown>);
    if (!target) return this.#nothing;
    const known = this.#nodes.get(target);
    if (known) return known;
    const node = new SchemaNode(0);
    // Before what is inside it, where the schema may refer to itself.
    this.#nodes.set(target, node);
    this.#fill(node, target);
    return node;
  }

  #fill(node: SchemaNode, schema: Record<string, unknown>): void {
    const { type, properties = {}, required = [], format, minLength = 0 } = schema;
    const names = [...Object.keys(properties as object), ...(required as string[])];
    const isUnderstood =
      Object.keys(schema).every((keyword) => SILENT.has(keyword) || DEMANDS.has(keyword)) &&
      (format === undefined || format === 'date-time') &&
      names.every(isPlainName);
    if (!isUnderstood) return;
    node.types = type === undefined ? ANYTHING : typesOf(Array.isArray(type) ? type : [type]);
    node.minLength = minLength as number;
    node.isDateTime = format !== undefined;
    node.items = this.#read(schema.items);
    node.additional = this.#read(schema.additionalProperties);
    node.required = required as string[];
    for (const name of names) {
      const isOwn = Object.hasOwn(properties as object, name);
      node.members.set(name, isOwn ? this.#read((properties as Record<string, unknown>)[name]) : node.additional);
    }
  }

  /** Where a reference leads in the end; undefined where that is not certain. */
  #follow(schema: Record<string, unknown>): Record<string, unknown> | undefined {
    const passed = new Set<unknown>();
    let next: unknown = schema;
    while (typeof next === 'object' && next !== null && '$ref' in next) {
      const { $ref, ...beside } = next;
      if (passed.has(next) || !Object.keys(beside).every((keyword) => SILENT.has(keyword))) return undefined;
      passed.add(next);
      next = this.#locate($ref);
    }
    return typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : undefined;
  }

  /** Plain pointers into this schema only. */
  #locate($ref: unknown): unknown {
    if (typeof $ref !== 'string' || !/^#(\/[\w-]+)*$/.test($ref)) return undefined;
    let place: unknown = this.#schema;
    for (const name of $ref.split('/').slice(1)) {
      if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
      place = (place as Record<string, unknown>)[name];
    }
    return place;
  }
}

function typesOf(names: readonly unknown[]): number {
  return names.reduce<number>((types, name) => types | (TYPES[name as string] ?? 0), 0);
}

/** Written in JSON as it is; and not one that every JavaScript object seems to have, which Ajv then looks at. */
function isPlainName(name: string): boolean {
  return JSON.stringify(name) === `"${name}"` && !(name in Object.prototype);
}
