import type { ASTNode } from '@marcbachmann/cel-js';
import { asLoop, childrenOf } from './rule-ast.ts';

/** A part of the record, or of a variable, that a value was made of. */
export interface Source {
  /** The variable that the path starts from; undefined for what is made by a loop. */
  readonly root: string | undefined;
  /** The names on the way; undefined where an index or a computed name is among them. */
  readonly path: readonly string[] | undefined;
}

/** What gives a number, a date or a truth, however large its operands: nothing of them flows on. */
const SCALAR_FUNCTIONS = new Set(
  (
    'size bool int uint double timestamp duration type has contains startsWith endsWith matches matchesLinear ' +
    'indexOf lastIndexOf at getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds ' +
    'getMinutes getMonth getSeconds'
  ).split(' '),
);
const SCALAR_OPERATORS = new Set('== != < <= > >= && || !_ -_ in - * / %'.split(' '));

/** A path such as `p.sessions[0].segments`, also behind a `filter`; undefined for any other expression. */
export function pathOf(node: ASTNode): Source | undefined {
  let at = node;
  let path: readonly string[] | undefined = [];
  for (;;) {
    const loop = asLoop(at);
    if (at.op === '.' || at.op === '.?') {
      path = path && [at.args[1], ...path];
      at = at.args[0];
    } else if (at.op === '[]' || at.op === '[?]') {
      path = undefined;
      at = at.args[0];
    } else if (loop && at.op === 'rcall' && at.args[0] === 'filter') {
      at = loop.range;
    } else {
      return at.op === 'id' ? { root: at.args, path } : undefined;
    }
  }
}

/** The parts of the record that a value may be as large as. */
export function flowsFrom(node: ASTNode): readonly Source[] {
  const path = pathOf(node);
  if (path) return [path];
  if (asLoop(node)) return node.op === 'rcall' && node.args[0] === 'map' ? [{ root: undefined, path: undefined }] : [];
  if (SCALAR_OPERATORS.has(node.op)) return [];
  if ((node.op === 'call' || node.op === 'rcall') && SCALAR_FUNCTIONS.has(node.args[0])) return [];
  return childrenOf(node).flatMap(flowsFrom);
}
