import { z } from 'zod';

/** One key of the configuration file, as the table describes it. */
export interface Field {
  /** Keys from the root; `[]` for any element of a list, `*` for any name. */
  readonly path: readonly string[];
  readonly env: string | undefined;
  readonly secret: boolean;
  readonly url: boolean;
  /** Whether `${NAME}` below it is replaced. */
  readonly variables: boolean;
  readonly kind: string;
  readonly description: string;
  /** As written in the file; undefined where there is none. */
  readonly defaultValue: unknown;
  readonly required: boolean;
  /** What a text from the environment has to become. */
  readonly shape: 'number' | 'boolean' | 'list' | 'text';
  /** The sections above it that come in several types, and the types that have it. */
  readonly within: readonly { readonly at: readonly string[]; readonly types: readonly string[] }[];
}

interface Layers {
  readonly core: z.core.$ZodType;
  readonly meta: z.GlobalMeta;
  readonly defaultValue: unknown;
  readonly optional: boolean;
}

/** Every leaf of a schema in order, descending into sections, lists and records of sections. */
export function fieldsOf(schema: z.core.$ZodType, path: readonly string[] = []): Field[] {
  const layers = unwrap(schema);
  const core = layers.core as z.core.$ZodTypes;
  const own = path.length > 0 && layers.meta.description !== undefined ? [describe(layers, path)] : [];
  switch (core._zod.def.type) {
    case 'object':
      return [
        ...own,
        ...Object.entries(core._zod.def.shape).flatMap(([key, value]) => fieldsOf(value, [...path, key])),
      ];
    case 'array':
      return [...own, ...sectionsOnly(core._zod.def.element, [...path, '[]'])];
    case 'record':
      return [...own, ...sectionsOnly(core._zod.def.valueType, [...path, '*'])];
    case 'union': {
      const branches = core._zod.def.options.map((option) => ({
        name: nameOf(option),
        fields: fieldsOf(option, path),
      }));
      const objects = core._zod.def.options.some((option) => unwrap(option).core._zod.def.type === 'object');
      if (!objects) return own.length > 0 ? own : [describe(layers, path)];
      return merge(branches, path);
    }
    default:
      return own.length > 0 ? own : [describe(layers, path)];
  }
}

interface Branch {
  /** What tells it from the others; undefined where nothing does. */
  readonly name: string | undefined;
  readonly fields: readonly Field[];
}

/**
 * What all branches share is said once, what only some have, or say differently, with the names of theirs; their
 * discriminator becomes a choice.
 */
function merge(branches: readonly Branch[], at: readonly string[]): Field[] {
  const told = branches.flatMap(({ name, fields }) => fields.map((field) => ({ name, field })));
  const byPath = Map.groupBy(told, ({ field }) => field.path.join('.'));
  return [...byPath.values()].flatMap((same) => {
    const kinds = [...new Set(same.map(({ field: { kind } }) => kind))];
    const first = fieldOf(same, at);
    if (first.path.at(-1) === 'type') return [{ ...first, kind: kinds.join(' | ') }];
    const variants = [...Map.groupBy(same, ({ field: { path: _, ...rest } }) => JSON.stringify(rest)).values()];
    if (same.length === branches.length && variants.length === 1) return [first];
    return variants.map((variant) => {
      const names = variant.flatMap(({ name }) => (name === undefined ? [] : [`\`${name}\``]));
      const prefix = names.length === 0 ? '' : `${names.join(', ')}: `;
      const field = fieldOf(variant, at);
      return { ...field, description: `${prefix}${field.description}` };
    });
  });
}

type Told = readonly { readonly name: string | undefined; readonly field: Field }[];

/** What several branches say alike, with the types that they are for. */
function fieldOf(same: Told, at: readonly string[]): Field {
  const { field } = same[0]!;
  const types = same.flatMap(({ name }) => name ?? []);
  return types.length === 0 ? field : { ...field, within: [{ at, types }, ...field.within] };
}

/** The value of a branch's `type`. */
function nameOf(branch: z.core.$ZodType): string | undefined {
  const { def } = (unwrap(branch).core as z.core.$ZodTypes)._zod;
  const type = def.type === 'object' ? (def.shape.type as z.core.$ZodTypes | undefined) : undefined;
  return type?._zod.def.type === 'literal' ? String(type._zod.def.values[0]) : undefined;
}

function sectionsOnly(element: z.core.$ZodType, path: readonly string[]): Field[] {
  const type = unwrap(element).core._zod.def.type;
  return type === 'object' || type === 'union' ? fieldsOf(element, path) : [];
}

/** Takes defaults, options and transforms off a schema; the outermost description wins. */
function unwrap(schema: z.core.$ZodType): Layers {
  const any = schema as z.core.$ZodTypes;
  const def = any._zod.def;
  const meta = z.globalRegistry.get(schema) ?? {};
  let inner: Layers;
  switch (def.type) {
    case 'optional':
    case 'nonoptional':
    case 'readonly':
      inner = unwrap(def.innerType);
      return { ...inner, meta: { ...inner.meta, ...meta }, optional: def.type === 'optional' || inner.optional };
    case 'prefault':
    case 'default':
      inner = unwrap(def.innerType);
      return { ...inner, meta: { ...inner.meta, ...meta }, defaultValue: def.defaultValue, optional: true };
    case 'pipe': {
      inner = unwrap(def.in);
      const out = def.out._zod.def.type === 'transform' ? undefined : unwrap(def.out);
      return { ...inner, ...(out && { core: out.core }), meta: { ...inner.meta, ...meta } };
    }
    default:
      return { core: schema, meta, defaultValue: undefined, optional: false };
  }
}

function describe({ core, meta, defaultValue, optional }: Layers, path: readonly string[]): Field {
  const type = core._zod.def.type;
  return {
    path,
    env: meta.env,
    secret: meta.secret ?? false,
    url: meta.url ?? false,
    variables: meta.variables ?? false,
    kind: meta.kind ?? kindOf(core as z.core.$ZodTypes),
    description: meta.description ?? '',
    defaultValue,
    required: !optional,
    shape: type === 'number' || type === 'boolean' ? type : type === 'array' ? 'list' : 'text',
    within: [],
  };
}

function kindOf(core: z.core.$ZodTypes): string {
  const def = core._zod.def;
  if (def.type === 'enum') return Object.values(def.entries).join(' | ');
  if (def.type === 'literal') return def.values.map(String).join(' | ');
  if (def.type === 'boolean') return 'true | false';
  return def.type;
}
