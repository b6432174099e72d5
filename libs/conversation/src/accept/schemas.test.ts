import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeOf } from '../../fixtures/judge-of.ts';

const withKey = (members: string) => `{"conversationId":"c"${members === '' ? '' : `,${members}`}}`;

/** Of a schema: what is accepted, and what is not (valid or not). */
const CASES: readonly [name: string, schema: object, accepted: readonly string[], unanswered: readonly string[]][] = [
  ['says nothing', {}, ['', '"a":1', '"a":[{"b":null}]'], ['"conversationId":"c"', '"a":1,"a":1']],
  ['says little', { type: 'object' }, ['', '"a":1'], []],
  ['wants no object', { type: 'array' }, [], ['']],
  ['knows some types', object({ a: { type: 'null' } }), ['', '"a":null', '"b":1'], ['"a":1', '"a":false']],
  ['closes an object', object({ a: {} }, { additionalProperties: false }), [], ['', '"a":1']],
  [
    'closes an object with a key',
    object({ a: {}, conversationId: {} }, { additionalProperties: false }),
    ['"a":1'],
    ['"b":1'],
  ],
  ['wants text in all', { type: 'object', additionalProperties: { type: 'string' } }, ['"a":"b"'], ['"a":1']],
  ['wants a number for a key', { type: 'object', additionalProperties: { type: 'number' } }, [], ['']],
  ['refuses a member', object({ a: false }), [''], ['"a":1']],
  ['takes any member', object({ a: true }), ['"a":1', '"a":{}'], []],
  [
    'wants lists',
    object({ a: { type: 'array', items: { type: 'integer' } } }),
    ['"a":[1,-2]', '"a":[]'],
    ['"a":[1,0.5]', '"a":1'],
  ],
  ['refuses elements', object({ a: { type: 'array', items: false } }), ['"a":[]'], ['"a":[1]']],
  ['demands more than 32 members', many(40), [manyMembers(40)], ['', manyMembers(39), manyMembers(40, 1)]],
  [
    'demands what it does not describe',
    { type: 'object', required: ['a'], properties: { a: {} } },
    ['"a":0'],
    ['', '"b":0'],
  ],
  [
    'wants long text',
    object({ a: { type: 'string', minLength: 3 } }),
    ['"a":"abc"', '"a":"äöü"', '"a":"\u{1f600}bcd"', '"a":"ab\\u0063"'],
    ['"a":"ab"', '"a":"ä"', '"a":"\u{1f600}b"', '"a":"\\ud83d\\ude00a"', '"a":"\\n\\n"'],
  ],
  ['wants endless text', object({ a: { type: 'string', minLength: 2 ** 32 } }), [''], ['"a":"abc"', '"a":""']],
  [
    'has names with signs',
    object({ 'a:b': { type: 'null' }, 東京: { type: 'null' }, '': { type: 'null' } }),
    ['"a:b":null,"東京":null,"":null'],
    ['"a:b":1', '"東京":1', '"":1'],
  ],
  [
    'has a name that begins another',
    object({
      a: { type: 'null' },
      ab: { type: 'boolean' },
      abc: { type: 'string' },
      abcd: { type: 'number' },
      abcde: { type: 'array' },
    }),
    ['"a":null,"ab":true,"abc":"x","abcd":1,"abcde":[],"abcdef":0'],
    ['"ab":null', '"abcd":"x"', '"abcde":1'],
  ],
  [
    'refers to itself',
    { type: 'object', properties: { a: { $ref: '#' } } },
    ['"a":{"a":{}}'],
    ['"a":1', '"a":{"a":1}', '"a":{"a":{},"a":{}}', '"a":{"a":{"b":1}},"a":{}'],
  ],
  [
    'demands inside itself',
    { type: 'object', required: ['x'], properties: { x: {}, a: { $ref: '#' } } },
    ['"x":1,"a":{"x":1}'],
    ['"x":1,"a":{}', '"a":{"x":1}', '"x":1,"a":{"a":{"x":1}}'],
  ],
  ['refers to itself alone', { $ref: '#' }, [], ['']],
  [
    'refers through others',
    { $ref: '#/definitions/r', definitions: { r: { $ref: '#/definitions/s' }, s: object({ a: { type: 'null' } }) } },
    ['"a":null'],
    ['"a":1'],
  ],
  [
    'has an id',
    { $id: 'urn:x:y', ...object({ a: { $ref: '#/definitions/n' } }), definitions: { n: { type: 'null' } } },
    ['"a":null'],
    ['"a":1'],
  ],
  // Not understood, so there is no answer where they would matter; and one elsewhere.
  ['has an unknown keyword', { type: 'object', minProperties: 5 }, [], ['', '"a":1']],
  [
    'has one below',
    object({ a: { type: 'string', pattern: '^x' }, b: { type: 'string' } }),
    ['"b":"x"'],
    ['"a":"y"', '"a":"x"'],
  ],
  [
    'has one in a definition',
    object({ a: { $ref: '#/definitions/n' } }, { definitions: { n: { enum: [1] } } }),
    [''],
    ['"a":1', '"a":2'],
  ],
  ['has a number keyword', object({ a: { type: 'number', maximum: 1 } }), [''], ['"a":1', '"a":2']],
  [
    'has another format',
    object({ a: { type: 'string', format: 'uuid' } }),
    [''],
    ['"a":"2026-09-14T13:02:11Z"', '"a":"x"'],
  ],
  ['has names by pattern', { type: 'object', patternProperties: { '^a': false } }, [], ['', '"a":1']],
  [
    'has a tuple',
    object({ a: { type: 'array', items: [{ type: 'null' }], minItems: 1, additionalItems: false } }),
    [''],
    ['"a":[null]', '"a":[1]'],
  ],
  ['has a const beside types', object({ a: { type: ['string'], const: 'x' } }), [''], ['"a":"x"', '"a":"y"']],
  ['allows null', object({ a: { type: 'string', nullable: true } }), [''], ['"a":null', '"a":"x"']],
  [
    'says more beside a reference',
    object(
      { a: { $ref: '#/definitions/s', type: 'string', minLength: 2 } },
      { definitions: { s: { type: 'string' } } },
    ),
    [''],
    ['"a":"x"', '"a":"xy"'],
  ],
  ['has a name that all objects have', object({ toString: { type: 'string' } }), [], ['', '"toString":"x"']],
  [
    'demands __proto__',
    JSON.parse('{"type":"object","required":["__proto__"],"properties":{"__proto__":{}}}') as object,
    [],
    ['', '"__proto__":1'],
  ],
  ['has a name with a quote', object({ 'a"': { type: 'null' } }), [], ['"a":1', '"a\\"":1']],
  [
    'has another base below',
    object({ a: { $ref: '#/definitions/n' } }, { definitions: { n: { $id: '#n', type: 'null' } } }),
    [],
    ['"a":null', ''],
  ],
];

function object(properties: object, more: object = {}): object {
  return { type: 'object', properties, ...more };
}

function many(count: number): object {
  const names = Array.from({ length: count }, (_, n) => `m${n}`);
  return { type: 'object', required: names, properties: Object.fromEntries(names.map((name) => [name, {}])) };
}

function manyMembers(count: number, from = 0): string {
  return Array.from({ length: count - from }, (_, n) => `"m${n + from}":0`).join(',');
}

for (const [name, schema, accepted, unanswered] of CASES) {
  test(`a schema that ${name}`, () => {
    const judge = judgeOf(schema);
    for (const members of accepted) assert.equal(judge(withKey(members)), 'c', members);
    for (const members of unanswered) assert.equal(judge(withKey(members)), undefined, members);
  });
}

const name = fc.constantFrom('a', 'b', 'c', 'conversationId');
const { anySchema } = fc.letrec<{ anySchema: unknown; anyObject: unknown }>((tie) => ({
  anyObject: fc
    .record(
      { properties: fc.dictionary(name, tie('anySchema'), { maxKeys: 3 }), additionalProperties: tie('anySchema') },
      { requiredKeys: ['properties'] },
    )
    .chain((rest) =>
      fc.subarray(Object.keys(rest.properties)).map((required) => ({ type: 'object', required, ...rest })),
    ),
  anySchema: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...['null', 'boolean', 'number', 'integer', 'string'].map((type) => ({ type }))),
    fc.constantFrom(true, false, {}, { $ref: '#' }, { type: 'string', format: 'date-time' }, { enum: ['x', 1] }),
    fc.nat({ max: 2 }).map((minLength) => ({ type: 'string', minLength })),
    tie('anySchema').map((items) => ({ type: 'array', items })),
    tie('anyObject'),
  ),
}));
const { anyValue } = fc.letrec<{ anyValue: unknown }>((tie) => ({
  anyValue: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, -1, 0.5, '', 'x', '\u{1f600}', '2026-09-14T13:02:11Z'),
    fc.array(tie('anyValue'), { maxLength: 2 }),
    fc.dictionary(name, tie('anyValue'), { maxKeys: 3 }),
  ),
}));

test('whatever a schema says, what is accepted is valid by it', () => {
  const anyRecord = fc.dictionary(name, anyValue).map((members) => ({ conversationId: 'c', ...members }));
  const anyRoot = fc.dictionary(name, anySchema).map((properties) => object(properties));
  let accepted = 0;
  fc.assert(
    fc.property(anyRoot, fc.array(anyRecord, { minLength: 50, maxLength: 50 }), (schema, records) => {
      const judge = judgeOf(schema);
      for (const record of records) if (judge(JSON.stringify(record)) !== undefined) accepted += 1;
    }),
    { numRuns: 40 },
  );
  assert(accepted > 20, `${accepted} accepted`);
});
