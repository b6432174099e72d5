import type { RoundedNumbers } from './rounded-numbers.ts';

export interface JsonBounds {
  readonly maxChars: number;
  readonly maxDepth: number;
}

export type JsonText = { readonly text: string } | { readonly failed: string };

/** Ends the walk; what it says is told. */
class NotJson extends Error {}

/**
 * What a CEL expression has made, as JSON on one line: maps and objects, lists, texts, numbers, truths and null;
 * timestamps as RFC 3339, bytes as base64. Numbers that the record has and a double does not hold are written as they
 * stand there. What is larger or deeper than the bounds, or is no JSON (infinity, a duration), is told in fixed words.
 */
export function jsonTextOf(value: unknown, rounded: RoundedNumbers, { maxChars, maxDepth }: JsonBounds): JsonText {
  const pieces: string[] = [];
  let left = maxChars;
  const put = (piece: string) => {
    left -= piece.length;
    if (left < 0) throw new NotJson(`what it makes has more than ${maxChars} characters`);
    pieces.push(piece);
  };
  const text = (item: string) => {
    // Before it is made: a text may be long by itself.
    if (item.length > left) throw new NotJson(`what it makes has more than ${maxChars} characters`);
    put(JSON.stringify(item));
  };
  const walk = (item: unknown, depth: number): void => {
    if (depth > maxDepth) throw new NotJson(`what it makes is nested more than ${maxDepth} deep`);
    if (typeof item === 'string') text(item);
    else if (typeof item === 'number') put(numberText(item, rounded));
    else if (typeof item === 'bigint' || typeof item === 'boolean' || item === null) put(String(item));
    else if (Array.isArray(item)) list(item, depth);
    else if (typeof item === 'object') object(item, depth);
    else throw new NotJson('it makes something that JSON has not');
  };
  const list = (items: readonly unknown[], depth: number) => {
    put('[');
    for (const [index, item] of items.entries()) {
      if (index > 0) put(',');
      walk(item, depth + 1);
    }
    put(']');
  };
  const object = (item: object, depth: number) => {
    if (item instanceof Date) {
      text(item.toISOString());
      return;
    }
    if (item instanceof Uint8Array) {
      text(Buffer.from(item).toString('base64'));
      return;
    }
    if (!(item instanceof Map) && !isPlain(item)) throw new NotJson('it makes something that JSON has not');
    put('{');
    let isFirst = true;
    for (const [key, member] of item instanceof Map ? item : Object.entries(item)) {
      if (!isFirst) put(',');
      isFirst = false;
      text(String(key));
      put(':');
      walk(member, depth + 1);
    }
    put('}');
  };
  try {
    walk(value, 0);
    return { text: pieces.join('') };
  } catch (error) {
    if (error instanceof NotJson) return { failed: error.message };
    throw error;
  }
}

function numberText(value: number, rounded: RoundedNumbers): string {
  if (rounded.has(value)) {
    const literal = rounded.get(value);
    if (literal === undefined) throw new NotJson('two numbers of the record differ by less than can be told here');
    return literal;
  }
  if (!Number.isFinite(value)) throw new NotJson('it makes a number that JSON has not');
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** An object of the record, or of a literal in the expression; its own key may be `constructor`. */
function isPlain(item: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null;
}
