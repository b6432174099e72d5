/** Of what an object's key is made, beside the sink's prefix. */
export interface ObjectName {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the batch's first record. */
  readonly first: bigint;
  /** Tells apart what would have the same name otherwise: the groups of several routes, topics made anew. */
  readonly tag: string;
}

const PLACEHOLDER = /\{([^{}]*)\}/g;
const KNOWN = new Set(['yyyy', 'MM', 'dd']);
/** Keys sort as their offsets do. */
const OFFSET_DIGITS = 20;

/** What is wrong with a prefix, in words that follow its name; undefined where nothing is. */
export function prefixProblem(prefix: string): string | undefined {
  const unknown = [...prefix.matchAll(PLACEHOLDER)].find(([, name]) => !KNOWN.has(name!));
  if (unknown) return `has the placeholder ${unknown[0]}; there are {yyyy}, {MM} and {dd}`;
  if (/[{}]/.test(prefix.replace(PLACEHOLDER, ''))) return 'has a brace that is no placeholder: {yyyy}, {MM} and {dd}';
  if (prefix.startsWith('/')) return 'begins with a slash; keys do not';
  if (prefix.split('/').some((part) => part === '.' || part === '..')) return 'has a part that is . or ..';
  return /[\u0000-\u001f\u007f]/.test(prefix) ? 'has a control character' : undefined;
}

/** `day` as `2026-11-27`. */
export function objectKey(prefix: string, day: string, { topic, partition, first, tag }: ObjectName): string {
  const [yyyy, MM, dd] = day.split('-') as [string, string, string];
  const dated = prefix.replace(PLACEHOLDER, (_, name: string) => ({ yyyy, MM, dd })[name] ?? '');
  return `${dated}${topic}-${partition}-${String(first).padStart(OFFSET_DIGITS, '0')}-${tag}.ndjson.gz`;
}
