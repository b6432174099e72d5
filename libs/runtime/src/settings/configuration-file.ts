import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { SettingProblem } from '../errors.ts';

export interface ConfigurationFile {
  readonly value: Record<string, unknown>;
  /** `config.yaml:12` for the deepest part of the path that the file has; undefined where it has none. */
  sourceOf(path: readonly PropertyKey[]): string | undefined;
}

const NOTHING: ConfigurationFile = { value: {}, sourceOf: () => undefined };

/** Reads a YAML 1.2 file, with the merge keys (`<<`) that came with 1.1. Problems are added, never thrown; what cannot be read counts as empty. */
export function readConfigurationFile(file: string, problems: SettingProblem[]): ConfigurationFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    problems.push({
      path: '--config',
      problem: `names a file that cannot be read (${code}): ${file}`,
      fix: 'correct the path or the permissions',
    });
    return NOTHING;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  // One mistake makes a cascade of messages: the first is the one that helps.
  const first = document.errors[0];
  if (first) {
    const { line, col } = lines.linePos(first.pos[0]);
    const path = `${file}:${line}:${col}`;
    problems.push(
      first.code === 'MULTIPLE_DOCS'
        ? { path, problem: 'begins another document', fix: 'keep one, and leave out the line ---' }
        : {
            path,
            problem: `is not valid YAML: ${first.message}`,
            fix: 'correct this line; quote texts that hold any of { } [ ] , : #',
          },
    );
    return NOTHING;
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Thrown for aliases that would expand without end.
    problems.push({
      path: file,
      problem: `is not usable YAML: ${(error as Error).message}`,
      fix: 'write the values out',
    });
    return NOTHING;
  }
  if (value === null || value === undefined) return NOTHING;
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push({ path: file, problem: 'is not a set of keys', fix: 'start it with a key, such as kafka:' });
    return NOTHING;
  }
  return {
    value: value as Record<string, unknown>,
    sourceOf(path) {
      for (let depth = path.length; depth > 0; depth -= 1) {
        const node: unknown = document.getIn(path.slice(0, depth), true);
        if (isNode(node) && node.range) return `${file}:${lines.linePos(node.range[0]).line}`;
      }
      return undefined;
    },
  };
}
