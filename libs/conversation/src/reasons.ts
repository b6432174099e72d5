import type { ErrorObject } from 'ajv';

/** Every property name a JSON Schema mentions: what may be shown of a record without showing the customer's data. */
export function propertyNames(schema: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const pending: unknown[] = [schema];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const { properties, required } = next as { properties?: unknown; required?: unknown };
    if (typeof properties === 'object' && properties !== null)
      Object.keys(properties).forEach((name) => names.add(name));
    if (Array.isArray(required)) required.forEach((name) => typeof name === 'string' && names.add(name));
    pending.push(...(Object.values(next) as unknown[]));
  }
  return names;
}

/**
 * A JSON pointer that carries no data: indexes and the schema's own property names as they are, every other segment
 * (an attribute's name, say) as `*`.
 */
export function safePointer(segments: readonly string[], known: ReadonlySet<string>): string {
  return segments.map((segment) => `/${known.has(segment) || /^\d{1,9}$/.test(segment) ? segment : '*'}`).join('');
}

/**
 * One violation as pointer, keyword and what was expected: `/participants/0/purpose: type (string)`. No values.
 * `base` is where the value lies that the error's own path starts from.
 */
export function violation(error: ErrorObject, base: readonly string[], known: ReadonlySet<string>): string {
  const segments = error.instancePath.split('/').slice(1);
  const below = segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const pointer = safePointer([...base, ...below], known);
  const expected = Object.values(error.params as Record<string, unknown>).filter(
    (value) => typeof value === 'string' || typeof value === 'number',
  );
  return `${pointer || '/'}: ${error.keyword}${expected.length > 0 ? ` (${expected.join(', ')})` : ''}`;
}
