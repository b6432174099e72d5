import { z } from 'zod';
import { fieldsOf } from './fields-of.ts';
import { settingsSchema } from './settings.ts';

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

/** Every key of the configuration file, in its order: what `--help` and the README's table are made of. */
export function settingsReference(): SettingReference[] {
  return fieldsOf(settingsSchema).map((field) => ({
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

/** The file's JSON Schema, for editors. */
export function settingsJsonSchema(): object {
  return z.toJSONSchema(settingsSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      for (const own of ['env', 'secret', 'kind']) Reflect.deleteProperty(jsonSchema, own);
    },
  });
}
