/** Numbers with more digits than this may be rounded when they are read. */
const SURE_DIGITS = 15;
const SURE_WHOLE = 2 ** 53;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Of doubles that stand for a number they do not hold: its own text, or undefined where two texts share the double. */
export type RoundedNumbers = ReadonlyMap<number, string | undefined>;

/**
 * The numbers of a valid JSON text that a double cannot be trusted to hold. Whoever writes such a double again writes
 * its text, and nothing is rounded; where two of them are read as the same double, nobody can tell which it was.
 */
export function roundedNumbers(text: string): RoundedNumbers {
  const found = new Map<number, string | undefined>();
  const plain: { readonly value: number; readonly literal: string }[] = [];
  for (const literal of numbersIn(text)) {
    const value = Number(literal);
    if (!isDoubtful(literal, value)) {
      plain.push({ value, literal });
      continue;
    }
    found.set(value, found.has(value) && found.get(value) !== literal ? undefined : literal);
  }
  if (found.size > 0)
    for (const { value, literal } of plain)
      if (found.get(value) !== literal && found.has(value)) found.set(value, undefined);
  return found;
}

function isDoubtful(literal: string, value: number): boolean {
  if (Math.abs(value) >= SURE_WHOLE) return true;
  // Too small for a double.
  if (value === 0 && /^-?[0.]*[1-9]/.test(literal)) return true;
  if (literal.length <= SURE_DIGITS) return false;
  const digits = literal
    .replace(/[eE].*$/, '')
    .replace(/\.(\d*?)0+$/, '.$1')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  return digits.length > SURE_DIGITS && String(value) !== literal;
}

function* numbersIn(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = stringEnd(text, at + 1);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const literal = NUMBER.exec(text)?.[0] ?? text[at]!;
      yield literal;
      at += literal.length - 1;
    }
  }
}

/** Of the closing quote. */
function stringEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code !== 0x22 && at < text.length; code = text.charCodeAt(at))
    at += code === 0x5c ? 2 : 1;
  return at;
}
