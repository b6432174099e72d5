import { dirname, join } from 'node:path';
import { FILES, read, SOURCES } from './tree.ts';

/** Statements that name another module: imports and re-exports, of types too, and imports in expressions. */
const SPECIFIERS =
  /(?:^|\n)(?:import|export)\b[^;'"]*?\bfrom '([^']+)'|(?:^|\n)import '([^']+)'|\bimport\('([^']+)'\)/g;

const exists = new Set(FILES);

/** The repository's own files that a file imports, each once. */
function importsOf(file: string): string[] {
  const found = [...read(file).matchAll(SPECIFIERS)].map(([, from, plain, called]) => (from ?? plain ?? called)!);
  return [...new Set(found.map((name) => resolve(file, name)).filter((target) => target !== undefined))];
}

function resolve(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(file), specifier);
  const library = /^@genesys-kafka\/([a-z-]+)$/.exec(specifier)?.[1];
  if (library === undefined) return undefined;
  return ['libs', 'apps'].map((folder) => `${folder}/${library}/src/index.ts`).find((index) => exists.has(index));
}

/** Files of the repository with the files that they import. */
export function importGraph(): ReadonlyMap<string, readonly string[]> {
  return new Map(SOURCES.map((file) => [file, importsOf(file)]));
}

/** Circles of a graph: each is a set of nodes that reach one another. The empty list where there is none. */
export function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  // Tarjan's strongly connected components.
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    const number = numbers.size;
    numbers.set(node, number);
    let low = number;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!numbers.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, numbers.get(next)!);
    }
    lowest.set(node, low);
    if (low === number) {
      const component = stack.splice(stack.indexOf(node));
      if (component.length > 1 || graph.get(node)?.includes(node) === true) found.push(component.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!numbers.has(node)) visit(node);
  return found;
}
