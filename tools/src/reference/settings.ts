import { SETTINGS as CONSUMER } from '@genesys-kafka/consumer/settings';
import { SETTINGS as PRODUCER } from '@genesys-kafka/producer/settings';
import { settingsJsonSchema, settingsReference, type SettingReference } from '@genesys-kafka/runtime';

const INTRODUCTION = `<!-- Written by \`npm run docs\`; a test fails where it is stale. Change its source instead. -->

# Settings

What can stand in the YAML file of \`--config\`, and in the environment, which wins over it. One file may serve both
programs: each reads what is its own, and passes over what the other one reads. Any other key is an error. A flag of
\`consumer run\` wins over both.

- A secret may also be named by a file: \`…_FILE\` beside its variable.
- Texts below \`sinks\` take \`\${NAME}\` from the environment, or from the file in \`NAME_FILE\`; \`$\${\` is a literal \`\${\`.
- Plain \`http:\` to another machine needs \`ALLOW_INSECURE_HTTP=true\`, a Kafka login without TLS \`ALLOW_INSECURE_KAFKA=true\`.
- What is \`required\` has to stand in its section, where that is given.
- A span is written as \`500ms\`, \`5s\`, \`10m\`, \`1h30m\`, \`1d\`; a size as \`64KiB\` or \`16MB\`; a share as \`5%\`.

\`--help settings [word]\` prints the same. Editors check a file that begins with
\`# yaml-language-server: $schema=…/docs/settings.schema.json\`.
`;

/** docs/reference/settings.md: every key of the file, with the programs that read it. */
export function settingsPage(): string {
  const rows = new Map<string, { readonly setting: SettingReference; readonly readers: string[] }>();
  for (const [program, definition] of Object.entries({ producer: PRODUCER, consumer: CONSUMER })) {
    for (const setting of settingsReference(definition)) {
      const known = rows.get(setting.path);
      // Of one program: kinds of a section that each say it differently.
      const isVariant = known?.readers.includes(program) ?? false;
      if (known && !isVariant) known.readers.push(program);
      else
        rows.set(isVariant ? `${setting.path} ${setting.description}` : setting.path, { setting, readers: [program] });
    }
  }
  const lines = [...rows.values()].map(
    ({ setting: { path, env, type, default: initial, required, description }, readers }) => {
      const cells = [
        code(path),
        code(env),
        type,
        required ? 'required' : code(initial),
        readers.join(', '),
        description,
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    },
  );
  const head = ['| setting | environment | type | default | read by | meaning |', '|---|---|---|---|---|---|'];
  return `${[INTRODUCTION, ...head, ...lines].join('\n')}\n`;
}

function code(text = ''): string {
  return text === '' ? '' : `\`${text}\``;
}

type Schema = Readonly<Record<string, unknown>>;

/** docs/settings.schema.json: the JSON Schema of a file that serves both programs. */
export function settingsSchema(): string {
  return `${JSON.stringify(merged(settingsJsonSchema(PRODUCER), settingsJsonSchema(CONSUMER)), undefined, 2)}\n`;
}

/** Both programs agree on what both read: what differs is which keys there are. */
function merged(one: object, other: object): Schema {
  const result: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other) as [string, unknown][]) {
    const known = result[key];
    result[key] = isTree(known) && isTree(value) ? merged(known, value) : value;
  }
  return result;
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
