import { RuntimeError } from '../errors.ts';
import type { SettingsDefinition } from '../settings/definition.ts';
import { settingsReference } from '../settings/reference.ts';

/**
 * What `--help settings [word]` prints, wherever it stands on the command line; undefined where it is not asked for.
 * Throws a `bad-argument` for a word that no setting has in its path, its variable or its description.
 */
export function settingsTopic(args: readonly string[], definition: SettingsDefinition): string | undefined {
  const at = args.findIndex((arg, index) => ['-h', '--help', 'help'].includes(arg) && args[index + 1] === 'settings');
  return at < 0 ? undefined : settingsHelp(definition, args[at + 2]);
}

function settingsHelp(definition: SettingsDefinition, word = ''): string {
  const sought = word.toLowerCase();
  const found = settingsReference(definition).filter(({ path, env = '', description }) =>
    [path, env, description].some((text) => text.toLowerCase().includes(sought)),
  );
  if (found.length === 0) {
    throw new RuntimeError('bad-argument', `No setting has ${JSON.stringify(word)} in its name or description.`, {
      remedy: 'Try --help settings.',
    });
  }
  const rows = found.map(({ path, env, type, default: initial, required, description }) => {
    const notes = [env, type, required ? 'required' : initial === undefined ? undefined : `default ${initial}`];
    return `  ${path} (${notes.filter((note) => note !== undefined).join(', ')})\n      ${description}\n`;
  });
  const taking = definition.fields.filter(({ variables }) => variables).map(({ path }) => path.join('.'));
  const variables =
    taking.length === 0
      ? ''
      : `. Texts below ${taking.join(', ')} take \${NAME}\nfrom the environment, or the file in NAME_FILE`;
  return `Settings of the --config file, each with its environment variable where it has one;
every secret also as <NAME>_FILE${variables}:
${rows.join('')}`;
}
