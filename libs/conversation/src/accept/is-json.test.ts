import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject } from './is-json.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** What `JSON.parse` says. */
function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(strictUtf8.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const members = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 5 });
const spaces = fc.constantFrom(undefined, 1, '\t', ' \n\r'.slice(0, 2));

test('objects are known for JSON: any members, with and without space', () => {
  const plainNames = fc.dictionary(
    fc.stringMatching(/^[^"\\\u0000-\u001f]*$/),
    fc.constantFrom(1, -0.5e-7, 'é\n😀', true, false, null, [], {}, [1, [{}]]),
  );
  fc.assert(
    fc.property(plainNames, spaces, (value, space) => {
      assert.ok(isJsonObject(Buffer.from(` ${JSON.stringify(value, undefined, space)} `.slice(1))));
    }),
  );
});

test('what is accepted, JSON.parse reads: texts with any byte changed, cut out or put in', () => {
  let accepted = 0;
  const property = fc.property(members, spaces, fc.nat(), fc.nat(255), fc.nat(2), (value, space, place, byte, cut) => {
    const text = Buffer.from(JSON.stringify(value, undefined, space));
    const at = place % (text.length + 1);
    const changed = Buffer.concat([text.subarray(0, at), Buffer.of(byte).subarray(0, cut), text.subarray(at + cut)]);
    if (!isJsonObject(changed)) return;
    accepted += 1;
    assert.ok(parses(changed), JSON.stringify(changed.toString('latin1')));
  });
  fc.assert(property, { numRuns: 5000 });
  assert.ok(accepted > 500, `${accepted} accepted`);
});

for (const text of [
  '{"a":1}',
  '{ "a" : [ 1 , -0 , 2.5E+3 , "\\u00e9\\n" , true , false , null , { } , [ ] ] }\n',
  `{"a":${'['.repeat(255)}${']'.repeat(255)}}`,
]) {
  test(`accepts ${text.slice(0, 40)}`, () => assert.ok(isJsonObject(Buffer.from(text))));
}

for (const text of [
  '',
  '{',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{"a":[1,]}',
  '{"a":[1}',
  '{"a":1]',
  '{"a":01}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":tru}',
  '{"a":nulll}',
  '{"a":1}{}',
  '{"a":1}\u0000',
  '{"a":"\u0001"}',
  '{"a":"\\x"}',
  '{,"a":1}',
  "{'a':1}",
  '{"a":\u00a01}',
]) {
  test(`leaves ${JSON.stringify(text)} alone, which is not JSON`, () => {
    assert.equal(parses(Buffer.from(text)), false);
    assert.equal(isJsonObject(Buffer.from(text)), false);
  });
}

test('what is not UTF-8, deep, large or has a name with an escape is not for it to say', () => {
  const deep = `{"a":${'['.repeat(256)}${']'.repeat(256)}}`;
  const large = `{"a":"${'x'.repeat(1024 * 1024)}"}`;
  for (const text of [deep, large, '{"\\"":1}', '[]', '1', '\ufeff{}', ' {}'])
    assert.equal(isJsonObject(Buffer.from(text)), false);
  assert.equal(isJsonObject(Buffer.from('{"a":"\xff"}', 'latin1')), false);
});
