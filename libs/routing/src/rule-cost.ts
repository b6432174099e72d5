import type { ASTNode } from '@marcbachmann/cel-js';
import { asLoop, childrenOf, type Loop } from './rule-ast.ts';
import { flowsFrom, pathOf, type Source } from './rule-flow.ts';

/** What a rule is evaluated on. */
interface Input {
  readonly record: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** An error text where evaluating the rule on this record would cost too much, else undefined. */
export type CostGuard = (input: Input) => string | undefined;

/** About half a second of one core; the consumer's heartbeats share it. */
const MAX_STEPS = 5_000_000;
const MAX_DEGREE = 3;
/** Characters that a function over text goes through in the time of a step. */
const CHARACTERS_PER_STEP = 16;

/** How often something happens at most: as often as a place of the record has elements, or as all of it or the headers have. */
type Factor = Place | 'all' | 'headers';

/** A place of the record; `isMeasured`: only its length is asked for. */
interface Place {
  readonly path: readonly string[];
  readonly isMeasured: boolean;
}

interface Scope {
  /** The loops around, but for those that only walk on inside what an outer one walks through. */
  readonly factors: readonly Factor[];
  /** Variables whose parts are walked through once for each round of the other loops, and by which factor. */
  readonly tails: ReadonlyMap<string, number>;
  /** Variables that hold something written in the rule. */
  readonly constants: ReadonlySet<string>;
  /** `record` and `headers`, but for such as a loop's variable has the name of. */
  readonly roots: ReadonlySet<string>;
}

interface Costs {
  /** What has to be multiplied to know what one spot of the rule costs; a single factor costs no more than a walk. */
  readonly products: (readonly Factor[])[];
  degree: number;
}

/** Operators that go through the whole of what they are given; comparisons end where the shorter one does. */
const WALKING_OPERATORS: ReadonlySet<string> = new Set(['in', '+']);

/**
 * Loops that follow the record's own nesting (participants, their sessions, their segments) visit each element once
 * and need no guard. Loops inside loops over something else multiply, and so does every function inside a loop that
 * goes through another part of the record (`x in record.names`, `record.text.contains(x)`, `record.a + record.b`).
 * The products are bounded before evaluating, by the sizes that this record has, as the library cannot be stopped.
 */
export function guardCost(root: ASTNode, fail: (problem: string, start: number) => Error): CostGuard {
  const costs: Costs = { products: [], degree: 0 };
  collect(root, { factors: [], tails: new Map(), constants: new Set(), roots: new Set(['record', 'headers']) }, costs);
  if (costs.degree > MAX_DEGREE)
    throw fail(`loops over independent lists are nested more than ${MAX_DEGREE} deep`, root.start);
  const { products } = costs;
  if (products.length === 0) return () => undefined;
  return ({ record, headers }) => {
    let [whole, ofHeaders]: (number | undefined)[] = [];
    const headersSize = () => (ofHeaders ??= wholeSize(headers));
    const all = () => (whole ??= headersSize() + wholeSize(record));
    const sizeOf = (factor: Factor) => {
      if (factor === 'headers') return headersSize();
      return factor === 'all' ? all() : sizeAt(record, factor);
    };
    const steps = (factor: Factor) => Math.max(1, sizeOf(factor));
    const isTooCostly = products.some(
      (factors) => factors.reduce((product, factor) => product * steps(factor), 1) > MAX_STEPS,
    );
    return isTooCostly ? 'too costly for a record of this size' : undefined;
  };
}

function collect(node: ASTNode, scope: Scope, costs: Costs): void {
  const loop = asLoop(node);
  if (loop) {
    collect(loop.range, scope, costs);
    const inside = enter(loop, scope);
    add(inside.factors, costs);
    costs.degree = Math.max(costs.degree, inside.factors.length);
    for (const part of loop.body) collect(part, inside, costs);
    return;
  }
  const children = childrenOf(node);
  if (scope.factors.length > 0 && goesThrough(node)) {
    for (const source of children.flatMap(flowsFrom)) {
      if (follows(source, scope)) continue;
      add([...scope.factors, factorOf(source, scope, asksForSize(node))], costs);
    }
  }
  for (const child of children) collect(child, scope, costs);
}

/** A list knows its length; text and maps are counted. */
function asksForSize({ op, args }: ASTNode): boolean {
  return (op === 'call' || op === 'rcall') && args[0] === 'size';
}

function goesThrough({ op, args }: ASTNode): boolean {
  if (op === 'call' || op === 'rcall') return args[0] !== 'has';
  return WALKING_OPERATORS.has(op);
}

function add(factors: readonly Factor[], { products }: Costs): void {
  if (factors.length > 1) products.push(factors);
}

/** Constants cost nothing, and parts of a tail's value are walked through once. */
function follows({ root }: Source, { tails, constants }: Scope): boolean {
  return root !== undefined && (tails.has(root) || constants.has(root));
}

function factorOf({ root, path }: Source, { roots }: Scope, isMeasured = false): Factor {
  if (root === undefined || !roots.has(root)) return 'all';
  if (root === 'headers') return root;
  return path === undefined ? 'all' : { path, isMeasured };
}

function enter({ range, variable }: Loop, scope: Scope): Scope {
  const tails = new Map(scope.tails);
  const constants = new Set(scope.constants);
  tails.delete(variable);
  constants.delete(variable);
  const roots = new Set(scope.roots);
  roots.delete(variable);
  const inside = { tails, constants, roots };
  const source = pathOf(range);
  if (source?.root !== undefined && scope.constants.has(source.root)) {
    constants.add(variable);
    return { ...inside, factors: scope.factors };
  }
  if (range.op === 'list') {
    // As long as it is written; its elements may be anything, and are walked through by loops that count.
    if (flowsFrom(range).every(({ root }) => root !== undefined && scope.constants.has(root))) constants.add(variable);
    return { ...inside, factors: scope.factors };
  }
  const index = source?.root === undefined ? undefined : scope.tails.get(source.root);
  if (index !== undefined) {
    // On inside the same elements: together no more than the record has.
    tails.delete(source!.root!);
    tails.set(variable, index);
    return { ...inside, factors: scope.factors.with(index, 'all') };
  }
  // What a function has made (of map, of a sum) may hold the same part many times: its elements are no tail.
  if (source) tails.set(variable, scope.factors.length);
  return { ...inside, factors: [...scope.factors, source ? factorOf(source, scope) : 'all'] };
}

/** Elements, entries or text at a path of the record; 1 where there is nothing of the kind. */
function sizeAt(record: unknown, { path, isMeasured }: Place): number {
  let at = record;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return 1;
    at = (at as Record<string, unknown>)[name];
  }
  if (typeof at === 'string') return at.length / CHARACTERS_PER_STEP;
  if (typeof at !== 'object' || at === null) return 1;
  if (Array.isArray(at)) return isMeasured ? 1 : at.length;
  return Object.keys(at).length;
}

/** Elements of all lists, entries of all objects and the text in them, counted no further than just past the limit. */
function wholeSize(value: unknown): number {
  let size = 0;
  const pending = [value];
  while (pending.length > 0 && size <= MAX_STEPS) {
    const next = pending.pop();
    if (typeof next === 'string') size += next.length / CHARACTERS_PER_STEP;
    if (typeof next !== 'object' || next === null) continue;
    const items: unknown[] = Array.isArray(next) ? next : Object.values(next);
    size += items.length;
    for (const item of items) if (typeof item === 'object' || typeof item === 'string') pending.push(item);
  }
  return size;
}
