import type { ASTNode } from '@marcbachmann/cel-js';
import { asLoop, childrenOf } from './rule-ast.ts';

/** An error text where evaluating the rule on this record would cost too much, else undefined. */
export type CostGuard = (record: unknown) => string | undefined;

/** About half a second of one core; the consumer's heartbeats share it. */
const MAX_STEPS = 5_000_000;
const MAX_DEGREE = 3;

/**
 * Loops that follow the record's own nesting (participants, their sessions, their segments) visit each element once
 * and need no guard. Loops inside loops over something else multiply: a rule with `degree` such factors takes up to
 * (list elements in the record) ** degree steps. That is bounded before evaluating, as the library cannot be stopped.
 */
export function guardCost(root: ASTNode, fail: (problem: string, start: number) => Error): CostGuard {
  const degree = degreeOf(root, undefined);
  if (degree > MAX_DEGREE)
    throw fail(`loops over independent lists are nested more than ${MAX_DEGREE} deep`, root.start);
  if (degree < 2) return () => undefined;
  const maxElements = Math.floor(MAX_STEPS ** (1 / degree));
  return (record) =>
    countElements(record, maxElements) > maxElements ? 'too costly for a record of this size' : undefined;
}

/** How many independent loops are nested at most; `innermost` is the variable of the loop around the node. */
function degreeOf(node: ASTNode, innermost: string | undefined): number {
  const loop = asLoop(node);
  if (!loop) return Math.max(0, ...childrenOf(node).map((child) => degreeOf(child, innermost)));
  const factor = loop.range.op === 'list' || (innermost !== undefined && rootOf(loop.range) === innermost) ? 0 : 1;
  const inner = Math.max(...loop.body.map((part) => degreeOf(part, loop.variable)));
  return Math.max(degreeOf(loop.range, innermost), factor + inner);
}

/** The variable that a path such as `p.sessions[0].segments` starts from. */
function rootOf(node: ASTNode): string | undefined {
  let at = node;
  while (at.op === '.' || at.op === '[]') at = at.args[0];
  return at.op === 'id' ? at.args : undefined;
}

/** Elements of all lists and entries of all objects, counted no further than just past `limit`. */
function countElements(value: unknown, limit: number): number {
  let count = 0;
  const pending = [value];
  while (pending.length > 0 && count <= limit) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    const items: unknown[] = Array.isArray(next) ? next : Object.values(next);
    count += items.length;
    for (const item of items) if (typeof item === 'object') pending.push(item);
  }
  return count;
}
