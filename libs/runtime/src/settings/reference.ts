import { z } from 'zod';
import type { SettingsDefinition } from './definition.ts';

/** One row of the reference table. */
export interface SettingReference {
  /** `sinks.*.url`, `routes[].name`. */
  readonly path: string;
  readonly env?: string;
  readonly type: string;
  /** As one would write it in the file; absent where there is none. */
  readonly default?: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly description: string;
}

/** Every key that a program reads of the configuration file, in its order. */
export function settingsReference({ fields }: SettingsDefinition): SettingReference[] {
  return fields.map((field) => ({
    path: field.path.join('.').replaceAll('.[]', '[]'),
    ...(field.env !== undefined && { env: field.env }),
    type: field.kind,
    ...(field.defaultValue !== undefined && {
      default: typeof field.defaultValue === 'string' ? field.defaultValue : JSON.stringify(field.defaultValue),
    }),
    required: field.required,
    secret: field.secret,
    description: field.description,
  }));
}

/** The JSON Schema of a file that holds what this program reads and nothing else, for editors. */
export function settingsJsonSchema({ schema }: SettingsDefinition): object {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      for (const own of ['env', 'secret', 'kind', 'url', 'variables']) Reflect.deleteProperty(jsonSchema, own);
    },
  });
}
