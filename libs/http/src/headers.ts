/** Headers as Node and undici hand them over: lower-case names, a list where a field came several times. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A field's value; one that came several times is a list with commas (RFC 9110, 5.3), which fits no single value. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
