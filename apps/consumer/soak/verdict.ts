import type { Sample } from '../fixtures/bus.ts';

/** One version of a conversation, by its name in what is told. */
const nameOf = ({ conversationId, n }: Sample) => `${conversationId} ${n}`;

/** What is promised of a target besides that nothing is missing. */
export interface Promises {
  /** Each record once. */
  readonly once?: boolean;
  /** Each conversation's versions come, for the first time, in their order. */
  readonly inOrder?: boolean;
}

/** What is wrong at a target, of `published` in the order of the topic and `found` in the order of the target. */
export function judge(
  published: readonly Sample[],
  found: readonly Sample[],
  promises: Promises = {},
): { readonly faults: readonly string[]; readonly repeats: number } {
  const wanted = new Set(published.map(nameOf));
  const seen = new Map<string, number>();
  const newest = new Map<string, number>();
  const faults: string[] = [];
  for (const sample of found) {
    const name = nameOf(sample);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    if (!wanted.has(name)) faults.push(`${name} was never published`);
    if (times > 1) continue;
    const before = newest.get(sample.conversationId) ?? -1;
    if (promises.inOrder && sample.n < before) faults.push(`${name} came after version ${before}`);
    newest.set(sample.conversationId, Math.max(before, sample.n));
  }
  for (const name of wanted) if (!seen.has(name)) faults.push(`${name} is missing`);
  if (promises.once) for (const [name, times] of seen) if (times > 1) faults.push(`${name} is there ${times} times`);
  return { faults, repeats: found.length - seen.size };
}

/** What a table of the newest versions should hold. */
export function newestOf(published: readonly Sample[]): readonly Sample[] {
  const newest = new Map<string, Sample>();
  for (const sample of published) {
    if (sample.n >= (newest.get(sample.conversationId)?.n ?? -1)) newest.set(sample.conversationId, sample);
  }
  return [...newest.values()];
}
