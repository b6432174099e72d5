import type { ASTNode } from '@marcbachmann/cel-js';

const MACROS = new Set(['exists', 'all', 'exists_one', 'map', 'filter']);

/** The nodes right below one node of a parsed rule. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

export interface Loop {
  readonly range: ASTNode;
  readonly variable: string;
  readonly body: readonly ASTNode[];
}

/** `range.exists(variable, body)` and its kin; undefined for every other node. */
export function asLoop(node: ASTNode): Loop | undefined {
  if (node.op !== 'rcall' || !MACROS.has(node.args[0])) return undefined;
  const [variable, ...body] = node.args[2];
  if (variable?.op !== 'id' || body.length === 0) return undefined;
  return { range: node.args[1], variable: variable.args, body };
}
