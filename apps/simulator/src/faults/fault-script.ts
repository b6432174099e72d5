import { Random } from '../conversations/random.ts';
import { parseFaultScript } from './fault-rules.ts';
import type { Fault, FaultRule, FaultRuleInput, Operation } from './fault-rules.ts';

/** A rule with what has become of it. */
export interface RuleReport {
  readonly rule: FaultRule;
  /** Requests that matched. */
  readonly seen: number;
  /** Requests that were hit. */
  readonly hits: number;
}

interface LiveRule {
  readonly rule: FaultRule;
  readonly path: RegExp | undefined;
  seen: number;
  hits: number;
}

/** The rules in force. Every request asks once, and counts for every rule that it matches. */
export class FaultScript {
  #rules: LiveRule[] = [];
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random().reset(seed, 0xfa17);
  }

  /**
   * Appends rules, `{rules: […]}` or a list.
   * @throws FaultScriptError; then none is added.
   */
  add(script: readonly FaultRuleInput[] | { readonly rules: readonly FaultRuleInput[] }): void {
    for (const rule of parseFaultScript(script)) {
      this.#rules.push({ rule, path: rule.on.includes(' ') ? pathPattern(rule.on) : undefined, seen: 0, hits: 0 });
    }
  }

  clear(): void {
    this.#rules = [];
  }

  report(): readonly RuleReport[] {
    return this.#rules.map(({ rule, seen, hits }) => ({ rule, seen, hits }));
  }

  /** The faults that befall this request, in the order of the rules. `path` is without its query. */
  take(operation: Operation | undefined, method: string, path: string): readonly Fault[] {
    const faults: Fault[] = [];
    for (const live of this.#rules) {
      const matches = live.path ? live.path.test(`${method} ${path}`) : live.rule.on === operation;
      if (!matches) continue;
      live.seen += 1;
      const { after, times, share } = live.rule;
      if (live.seen <= after || (times !== 'always' && live.hits >= times)) continue;
      if (share < 1 && !this.#random.chance(share)) continue;
      live.hits += 1;
      faults.push(live.rule.do);
    }
    return faults;
  }
}

function pathPattern(on: string): RegExp {
  const escaped = on.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`);
}
