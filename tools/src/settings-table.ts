import { notYet, settingsReference } from '@genesys-kafka/runtime';

const BEGIN = '<!-- settings: written by `npm run docs` -->';
const END = '<!-- /settings -->';

/** The README with its table of settings made anew from the one place where they are defined. */
export function withSettings(readme: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error('README.md has lost the marks of its settings table.');
  return `${readme.slice(0, from)}${BEGIN}\n\n${notYetLine()}\n\n${settingsTable()}\n\n${readme.slice(to)}`;
}

function notYetLine(): string {
  return `Known and not acted upon yet; a command that would need one of these ends with 2 and says so: ${notYet.join(', ')}.`;
}

function settingsTable(): string {
  const rows = settingsReference().map(({ path, env, type, default: initial, description }) => {
    const code = (text: string | undefined) => (text === undefined || text === '' ? '' : `\`${text}\``);
    const cells = [code(path), code(env), type, code(initial), description];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| setting | environment | type | default | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
