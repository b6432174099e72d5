import type { ASTNode } from '@marcbachmann/cel-js';
import { asLoop, childrenOf } from './rule-ast.ts';

/** An expression may copy what it is given so often. */
export const MOST_GROWTH = 1000;

/**
 * How often a part of the record may be contained in what an expression makes, at most: loops over what loops have made
 * double it with each `a + a`, and the library would go on until the memory is full. Loops over the record's own lists
 * are bounded by their cost.
 */
export function growthOf(root: ASTNode): number {
  return growth(root, new Map());
}

function growth(node: ASTNode, variables: ReadonlyMap<string, number>): number {
  if (node.op === 'id') return variables.get(node.args) ?? 1;
  const loop = asLoop(node);
  if (loop) {
    const inside = new Map(variables).set(loop.variable, growth(loop.range, variables));
    return Math.max(...loop.body.map((part) => growth(part, inside)));
  }
  const parts = childrenOf(node).map((child) => growth(child, variables));
  if (node.op === '?:' || node.op === '[]' || node.op === '.') return Math.max(1, ...parts);
  return Math.max(
    1,
    parts.reduce((sum, part) => sum + part, 0),
  );
}
