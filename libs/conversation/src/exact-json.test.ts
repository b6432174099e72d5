import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countColons } from '../fixtures/count-colons.ts';
import { countMembers } from './count-members.ts';
import { hasEscapedKey, parseJson, readExactly } from './exact-json.ts';

/** Texts, so that a key may be given twice; keys from a small set, so that it happens. */
const plainKey = fc
  .constantFrom('a', 'b', '__proto__', 'constructor', 'x:y', '', '7')
  .map((key) => JSON.stringify(key));
const oddKey = fc.constantFrom('"\\u0061"', '"\\""', '"\\\\"', '"\\\\u"', '"\\n"', '"b\\\\"', '"\\u005f_proto__"');

function jsonText(key: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.letrec<{ text: string }>((tie) => ({
    text: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('1', 'null', 'true', '-0', '1e400', '"x:y"', '"\\"{,"', '"\\\\"', '""', '[]', '{}', ' [ ] '),
      fc.array(tie('text'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
      fc
        .array(fc.tuple(key, tie('text'), fc.constantFrom('', ' ', '\n\t')), { maxLength: 5 })
        .map((members) => `{${members.map(([name, value, gap]) => `${gap}${name}${gap}:${gap}${value}`).join(',')}}`),
    ),
  })).text;
}

test('without escaped keys the reader agrees with JSON.parse, and tells repeats exactly where members are missing', () => {
  fc.assert(
    fc.property(jsonText(plainKey), (text) => {
      const { value, members, repeated } = readExactly(text, 1000);
      assert.equal(hasEscapedKey(text), false);
      assert.deepEqual(value, JSON.parse(text) as unknown);
      assert.equal(members, countColons(text));
      if (typeof value !== 'object' || value === null) return;
      assert.equal(members > countMembers(value), repeated.length > 0, text);
    }),
    { numRuns: 2000 },
  );
});

test('with escaped keys every spelling of a text has the same value', () => {
  // The spelling without escapes in keys is what JSON.parse gets right: a stand-in letter for each odd key.
  const letters = new Map([
    ['a', 'a'],
    ['"', 'q'],
    ['\\', 's'],
    ['\\u', 'u'],
    ['\n', 'n'],
    ['b\\', 'c'],
    ['__proto__', '__proto__'],
  ]);
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    const result: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
      Object.defineProperty(result, letters.get(key) ?? key, {
        value: rename(item),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return result;
  };
  fc.assert(
    fc.property(jsonText(fc.oneof(plainKey, oddKey)), (text) => {
      const plain = text.replaceAll(/"((?:[^"\\]|\\.)*)"(?=\s*:)/gsu, (whole) => {
        const key = JSON.parse(whole) as string;
        return JSON.stringify(letters.get(key) ?? key);
      });
      const keys = [...text.matchAll(/"((?:[^"\\]|\\.)*)"\s*:/gsu)].map(([, key]) => key!);
      assert.equal(
        hasEscapedKey(text),
        keys.some((key) => key.includes('\\')),
      );
      assert.deepEqual(rename(parseJson(text)), JSON.parse(plain), text);
    }),
    { numRuns: 2000 },
  );
});

test('a key that V8 misreads is read right', () => {
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(parseJson('{"h":[],"\\\\":0}'), { h: [], '\\': 0 });
    assert.deepEqual(parseJson('{"h":1,"\\"":2}'), { h: 1, '"': 2 });
    assert.deepEqual(parseJson('{"h":1,"\\u0061":2}'), { h: 1, a: 2 });
  }
});

test('a repeat is told by its place, escapes undone, arrays by index', () => {
  const repeats = (text: string, limit = 9) => readExactly(text, limit).repeated;
  assert.deepEqual(repeats('{"a":1,"\\u0061":2}'), [['a']]);
  assert.deepEqual(repeats('{"p":[{"x":1},{"x":1,"y":{"q,":[1,2],"q,":3}}]}'), [['p', '1', 'y', 'q,']]);
  assert.deepEqual(repeats('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}'), []);
  assert.deepEqual(repeats('{"a":1,"a":2,"a":3}', 1), [['a']]);
});

test('long and deep texts cost time in proportion and no stack', () => {
  const long = `{"a":"${'x\\n'.repeat(1_000_000)}","\\u0062":"${'\\\\'.repeat(500_000)}"}`;
  assert.deepEqual(Object.keys(parseJson(long) as object), ['a', 'b']);
  assert.equal(hasEscapedKey(`{"a":"${'\\n'.repeat(1_000_000)}"}`), false);
  const deep = `${'{"\\u0061":['.repeat(20_000)}${']}'.repeat(20_000)}`;
  assert.equal(readExactly(deep, 1).members, 20_000);
});
