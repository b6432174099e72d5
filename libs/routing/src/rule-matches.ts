import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { childrenOf } from './rule-ast.ts';

/**
 * Sends every `text.matches("pattern")` of a rule to RE2, which is what CEL promises (linear time; the library's own
 * `matches` backtracks) and compiles each pattern once. A pattern that is not written out is refused.
 */
export function useLinearMatches(
  root: ASTNode,
  patterns: Map<string, RE2JS>,
  fail: (problem: string, start: number) => Error,
): void {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    pending.push(...childrenOf(node));
    if (node.op === 'call' && node.args[0] === 'matches') throw fail('write text.matches("pattern")', node.start);
    if (node.op !== 'rcall' || node.args[0] !== 'matches') continue;
    const [pattern] = node.args[2];
    if (node.args[2].length !== 1 || pattern?.op !== 'value' || typeof pattern.args !== 'string')
      throw fail('the pattern of matches must be written out as one string', node.start);
    try {
      patterns.set(pattern.args, RE2JS.compile(pattern.args));
    } catch {
      throw fail(`${JSON.stringify(pattern.args)} is not a regular expression of RE2`, pattern.start);
    }
    node.args[0] = 'matchesLinear';
  }
}
