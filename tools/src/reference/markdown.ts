/** First line of every page that a program writes. */
const NOTICE = '<!-- Written by `npm run docs`; a test fails where it is stale. Change its source instead. -->';

/** A page of the reference: a title, a paragraph on what it lists and where that is defined, and its parts. */
export function page(title: string, introduction: string, ...parts: readonly string[]): string {
  return `${[NOTICE, `# ${title}`, introduction, ...parts].join('\n\n')}\n`;
}

/** A Markdown table; cells are Markdown already, empty ones for what is undefined. */
export function table(head: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  const line = (cells: readonly (string | undefined)[]) =>
    `| ${cells.map((cell) => (cell ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

export function code(text: string): string {
  return `\`${text}\``;
}
