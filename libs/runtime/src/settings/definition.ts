import type { z } from 'zod';
import type { CrossCheck } from './cross-check.ts';
import { fieldsOf, type Field } from './fields-of.ts';

/** What one program reads of a configuration: the source of validation, help, reference and the editors' schema. */
export interface SettingsDefinition<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** Every key of the schema, in its order. */
  readonly fields: readonly Field[];
  readonly checks: readonly CrossCheck[];
  /** Paths of the same file that another program reads: accepted here, neither validated nor read. */
  readonly readElsewhere: readonly string[];
}

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The settings as a program has them: parsed, complete, and not to be changed. */
export type SettingsOf<D extends SettingsDefinition> = DeepReadonly<z.output<D['schema']>>;

export function defineSettings<S extends z.ZodType>({
  schema,
  checks = [],
  readElsewhere = [],
}: {
  readonly schema: S;
  readonly checks?: readonly CrossCheck[];
  readonly readElsewhere?: readonly string[];
}): SettingsDefinition<S> {
  return { schema, fields: fieldsOf(schema), checks, readElsewhere };
}

const DEFINITIONS = new WeakMap<object, SettingsDefinition>();

/** Remembers by what definition settings were loaded, so that a message about them can name their variables. */
export function rememberDefinition(settings: object, definition: SettingsDefinition): void {
  DEFINITIONS.set(settings, definition);
}

/** The keys behind loaded settings; none for settings that were made by hand. */
export function fieldsBehind(settings: object): readonly Field[] {
  return DEFINITIONS.get(settings)?.fields ?? [];
}
