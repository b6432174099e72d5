import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonTextOf } from './json-text.ts';
import { compileReshape, type ReshapeSettings } from './reshape.ts';
import { roundedNumbers } from './rounded-numbers.ts';

const bounds = { maxChars: 10_000_000, maxDepth: 1000 };

function shape(settings: Partial<ReshapeSettings>, text: string, headers: Record<string, string> = {}) {
  const reshape = compileReshape({ headers: {}, ...settings }, 'crm');
  const made = reshape({ record: JSON.parse(text) as unknown, headers }, text);
  return 'failed' in made ? made.failed : { ...made, body: made.body?.toString('utf8') };
}
const body = (expression: string, text = '{}') => {
  const made = shape({ body: expression }, text);
  return typeof made === 'string' ? made : made.body;
};
const refusal = (expression: string) => {
  try {
    compileReshape({ body: expression, headers: {} }, 'crm');
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
};

const conversation = JSON.stringify({
  conversationId: 'c-1',
  participants: [
    { purpose: 'customer', sessions: [{ mediaType: 'voice', ani: '+49 1' }] },
    { purpose: 'agent', userId: 'u-1', sessions: [] },
  ],
});

test('a body is built of what the record holds, headers and key beside it', () => {
  const made = shape(
    {
      body: '{"id": record.conversationId, "agents": record.participants.filter(p, has(p.userId)).map(p, p.userId), "n": size(record.participants), "change": headers["change"]}',
      key: 'record.conversationId + "/x"',
      headers: {
        'x-media': 'record.participants[0].sessions[0].mediaType',
        'x-none': 'null',
        'x-n': '3',
        'x-ok': 'true',
      },
    },
    conversation,
    { change: 'new' },
  );
  assert.deepEqual(made, {
    body: '{"id":"c-1","agents":["u-1"],"n":2,"change":"new"}',
    key: 'c-1/x',
    headers: { 'x-media': 'voice', 'x-n': '3', 'x-ok': 'true' },
  });
});

test('law: a record that is only copied is the same JSON value, its numbers written with all their digits', () => {
  const digits = fc.stringMatching(/^[1-9][0-9]{0,30}$/);
  const number = fc
    .tuple(
      fc.boolean(),
      digits,
      fc.option(fc.stringMatching(/^[0-9]{1,25}$/)),
      fc.option(fc.integer({ min: -20, max: 20 })),
    )
    .map(
      ([minus, whole, part, power]) =>
        `${minus ? '-' : ''}${whole}${part === null ? '' : `.${part}`}${power === null ? '' : `e${power}`}`,
    );
  fc.assert(
    fc.property(fc.json(), number, (text, literal) => {
      const value = JSON.parse(text) as unknown;
      const made = jsonTextOf(value, roundedNumbers(text), bounds);
      assert.ok('text' in made, JSON.stringify(made));
      assert.deepEqual(JSON.parse(made.text), value);
      const long = jsonTextOf(Number(literal), roundedNumbers(literal), bounds);
      assert.ok('text' in long);
      assert.ok(long.text === literal || Number(long.text) === Number(literal));
      if (/^-?\d+$/.test(literal)) assert.equal(long.text, literal, 'a whole number keeps every digit');
    }),
    { numRuns: 300 },
  );
});

test('numbers that a double does not hold come through as they stand; two that share one are told, not guessed', () => {
  assert.equal(
    body('{"a": record.a, "b": record.b}', '{"a":9007199254740993,"b":0.12345678901234567890}'),
    '{"a":9007199254740993,"b":0.12345678901234567890}',
  );
  assert.equal(
    body('record', '{"a":12345678901234567890,"s":"9007199254740993","e":1e400}'),
    '{"a":12345678901234567890,"s":"9007199254740993","e":1e400}',
  );
  assert.match(String(body('record', '{"a":9007199254740993,"b":9007199254740992}')), /two numbers of the record/);
  assert.equal(body('{"n": record.n + 1.0, "m": 9007199254740993}', '{"n":1.5}'), '{"n":2.5,"m":9007199254740993}');
});

test('what fails on a record is told in fixed words, with place and without a value of it', () => {
  for (const [expression, told] of [
    ['{"q": record.queue}', 'body: no such key at column 14'],
    ['{"q": record.participants[9]}', /^body: .*column/],
    ['{"q": record.conversationId + 1.0}', /^body: .*column/],
    ['{"d": 1.0 / 0.0}', 'body: it makes a number that JSON has not'],
    ['{"d": duration("5s")}', 'body: it makes something that JSON has not'],
  ] as const) {
    const made = String(body(expression, conversation));
    if (typeof told === 'string') assert.equal(made, told);
    else assert.match(made, told);
    assert.doesNotMatch(made, /c-1|voice/);
  }
  assert.equal(
    shape({ headers: { 'x-a': '"line\\nbreak"' } }, '{}'),
    'headers.x-a: it has characters that a header cannot carry',
  );
  assert.equal(shape({ key: 'record.list' }, '{"list":[1]}'), 'key: it does not give a text');
  assert.equal(shape({ key: 'null' }, '{}'), 'key: it gives null');
  assert.equal(shape({ headers: { 'x-n': 'record.n' } }, '{"n":9007199254740993}'), 'headers.x-n: a number is rounded');
});

test('time, depth and size of what is made are bounded', () => {
  const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
  assert.equal(body('record', deep), 'body: what it makes is nested more than 256 deep');
  const large = JSON.stringify({ list: Array.from({ length: 3000 }, () => 'x'.repeat(100)) });
  assert.equal(body('record.list.map(a, record.list)', large), 'body: what it makes has more than 8388608 characters');
  assert.match(refusal(`[record.a]${'.map(a, a + a)'.repeat(30)}`), /more than 1000 times as large/);
  assert.match(refusal(`[record.a]${'.map(a, [a, a])'.repeat(30)}`), /more than 1000 times as large/);
  const slow = JSON.stringify({ a: Array(3000).fill('y'.repeat(50)), b: Array(3000).fill('y'.repeat(50)) });
  assert.equal(body('record.a.map(x, record.b.map(y, x == y))', slow), 'body: too costly for a record of this size');
});

test('what cannot work is refused when it is compiled, with route, part and column', () => {
  assert.match(refusal('{"a": recrod.a}'), /^reshape\.body of route "crm" is not usable at column 7: /);
  assert.match(refusal('{"a": '), /reshape\.body of route "crm"/);
  assert.throws(() => compileReshape({ key: '[1]', headers: {} }, 'crm'), { code: 'reshape-invalid' });
});

test('a key named like a part of JavaScript is a key like others', () => {
  assert.equal(body('record', '{"constructor":1,"__proto__":{"a":2}}'), '{"constructor":1,"__proto__":{"a":2}}');
  assert.equal(body('{"c": record.constructor}', '{"constructor":"x"}'), '{"c":"x"}');
});
