/**
 * `JSON.parse` of V8 12.8 and later (Node 24, 26) may misread a key that is written with an escape: after a key that
 * begins with a backslash has been seen, `{"h":1,"\"":2}` can come back with the key `\` (nodejs/node issue 63785).
 * Keys without escapes, and values, are right. So a text with an escaped key is read once more, by the reader below.
 */
export interface ExactJson {
  readonly value: unknown;
  /** Of all objects together, repeated ones counted each time. */
  readonly members: number;
  /** Where a key is given again, as path segments in text order; at most the limit asked for. */
  readonly repeated: readonly (readonly string[])[];
}

interface Frame {
  readonly value: unknown[] | Record<string, unknown>;
  /** Keys so far, unescaped; undefined in an array. */
  readonly keys: Set<string> | undefined;
  key: string;
  awaitsKey: boolean;
}

/** Read once more, a member takes about 3 µs and 150 bytes; 300,000 are an ordinary record of 7 MB. */
export const MAX_EXACT_MEMBERS = 300_000;

/**
 * `JSON.parse`, and right about keys with escapes. Throws the same SyntaxError, and a RangeError for a text that would
 * have to be read once more and has more members than that is done for.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!hasEscapedKey(text)) return value;
  if (membersIn(text) > MAX_EXACT_MEMBERS) throw new RangeError('too many members to be read once more');
  return readExactly(text, 0).value;
}

/** Of a valid JSON text, repeated ones too: colons outside strings. */
function membersIn(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) members += 1;
    else if (code === 0x22) at = stringEnd(text, at + 1) - 1;
  }
  return members;
}

/** Whether any key of a valid JSON text is written with a backslash. One look where the text has no backslash at all. */
export function hasEscapedKey(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    at = stringEnd(text, at);
    while (isSpace(text.charCodeAt(at))) at += 1;
    if (text[at] === ':') return true;
  }
  return false;
}

/**
 * Reads a text that `JSON.parse` has accepted: same value (the last of repeated keys wins, `__proto__` is a member like
 * any other), with what `JSON.parse` does not tell. About ten times slower, so for rare texts; iterative, linear.
 */
export function readExactly(text: string, limit: number): ExactJson {
  const frames: Frame[] = [];
  const repeated: string[][] = [];
  let root: unknown;
  let members = 0;
  const put = (item: unknown) => {
    const top = frames.at(-1);
    if (!top) root = item;
    else if (Array.isArray(top.value)) top.value.push(item);
    else define(top.value, top.key, item);
  };
  const open = (value: Frame['value'], keys: Frame['keys']) => {
    put(value);
    frames.push({ value, keys, key: '', awaitsKey: keys !== undefined });
  };
  for (let at = 0; at < text.length;) {
    const character = text[at]!;
    const top = frames.at(-1);
    if (character === '"' && top?.keys && top.awaitsKey) {
      const end = stringEnd(text, at + 1);
      top.key = JSON.parse(text.slice(at, end)) as string;
      top.awaitsKey = false;
      members += 1;
      if (top.keys.has(top.key) && repeated.length < limit) repeated.push(frames.map(segment));
      top.keys.add(top.key);
      at = end;
    } else if ('{}[],: \t\n\r'.includes(character)) {
      if (character === '{') open({}, new Set());
      else if (character === '[') open([], undefined);
      else if (character === '}' || character === ']') frames.pop();
      else if (character === ',' && top?.keys) top.awaitsKey = true;
      at += 1;
    } else {
      const end = character === '"' ? stringEnd(text, at + 1) : literalEnd(text, at);
      // A single string, number or literal: there is no key to misread.
      put(JSON.parse(text.slice(at, end)));
      at = end;
    }
  }
  return { value: root, members, repeated };
}

function segment({ value, key }: Frame): string {
  return Array.isArray(value) ? String(value.length - 1) : key;
}

function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Past the closing quote, from anywhere inside the string that is not the middle of an escape. */
function stringEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code !== 0x22; code = text.charCodeAt(at)) at += code === 0x5c ? 2 : 1;
  return at + 1;
}

function literalEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !',]}'.includes(text[at]!) && !isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
