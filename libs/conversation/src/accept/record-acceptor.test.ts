import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeOf } from '../../fixtures/judge-of.ts';
import { sampleRecords, smallRecords } from '../../fixtures/sample-records.ts';
import { conversationSchemaText } from '../conversation-schema.ts';
import { hasEscapedKey } from '../exact-json.ts';
import { createRecordAcceptor } from './record-acceptor.ts';

const schema = JSON.parse(conversationSchemaText) as object;
const judge = judgeOf(schema);
const HEAD = '"conversationId":"c-1","conversationStart":"2026-09-14T13:02:11.417Z"';

function unanswered(records: readonly string[]): void {
  for (const record of records) assert.equal(judge(record), undefined, record.slice(0, 500));
}

test('ordinary records are accepted, minified and not', () => {
  for (const bytes of [...sampleRecords, ...smallRecords]) {
    const value = JSON.parse(bytes.toString()) as { conversationId: string };
    assert.equal(judge(bytes), value.conversationId);
    for (const indent of [0, 1, '\t', ' \r\n']) {
      assert.equal(judge(` \n${JSON.stringify(value, undefined, indent)}\r\n\t `), value.conversationId);
    }
  }
});

test('text of any language, escapes in values, names that nobody knows and odd numbers are accepted', () => {
  for (const member of [
    '"x":"Zoë 東京 \u{1f600} \u2028\ufeff\x7f"',
    '"Zoë 東京":"x"',
    String.raw`"x":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\uD800"`,
    '"x":[0,-0,10,0.5,1e400,1E+3,-1.25e-7,123456789012345678901234567890]',
    '"x":[true,false,null,[],{},[[[]]],{"a":{"a":{}}}]',
    '"participants":[{"attributes":{"__proto__":"a","constructor":"b","":"c","purpose":"d","Last Order":"{}"}}]',
    '"surveys":[{"oSurveyTotalScore":-80,"surveyPromoterScore":0}],"mediaStatsMinConversationMos":4.9e0',
    '"conversationEnd":"0000-19-39T29:59:59.123456789Z"',
    '"participants":[{"attributes":{"a":"x"}},{"attributes":{"a":"y"}}],"a":"z","b":{"a":1}',
    '"x":{"conversationId":7,"conversationStart":null}',
    `"x":${'['.repeat(255)}${']'.repeat(255)}`,
    `"x":{${Array.from({ length: 3000 }, (_, n) => `"name ${n}":${n}`).join(',')}}`,
  ]) {
    assert.equal(judge(`{${HEAD},${member}}`), 'c-1', member);
    assert.equal(judge(`{${member},${HEAD}}`), 'c-1', member);
  }
  assert.equal(judge(`{${HEAD.replace('c-1', 'Zoë 東京 \u{1f600}')}}`), 'Zoë 東京 \u{1f600}');
});

test('members may come in any order, each record in another one', () => {
  const value = JSON.parse(smallRecords[0]!.toString()) as Record<string, unknown>;
  const names = Object.keys(value);
  fc.assert(
    fc.property(fc.shuffledSubarray(names, { minLength: names.length }), (order) => {
      const text = JSON.stringify(Object.fromEntries(order.map((name) => [name, value[name]])));
      assert.equal(judge(text), value.conversationId);
    }),
  );
});

test('what is not JSON is not accepted', () => {
  const values = [
    ...['', '01', '-', '-01', '+1', '.5', '1.', '1.e1', '1e', '1e+', '0x1', '1_0', 'NaN', 'Infinity', '-Infinity'],
    ...['tru', 'truE', 'nul', 'nulL', 'fals', 'falsE', 'fulse', 'true1', 'undefined', "'x'"],
    ...[
      '[1,]',
      '[,1]',
      '[1 2]',
      '[1;2]',
      '[',
      ']',
      '[}',
      '{]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{,}',
      '{"a" 1}',
      '{1:1}',
    ],
    ...['{a:1}', '{"a"::1}', '{"a":1 "b":2}', '"', '"\\"', '"\\x"', '"\\u00g0"', '"\\u00"', '"\\', '"a\nb"', '"a\tb"'],
    ...['"\0"', '"\x1f"', '\u00a01', '1\u00a0', '\v1', '\ufeff1', '/**/1', '1//', '"a""b"', '{"a\nb":1}', '{"a\0":1}'],
  ];
  unanswered(values.map((value) => `{${HEAD},"x":${value}}`));
  unanswered(['', ' ', '{', '}', `{${HEAD}`, `{${HEAD}}}`, `{${HEAD}} {}`, `{${HEAD}},`, `{,${HEAD}}`, `{${HEAD},}`]);
  unanswered([
    `\ufeff{${HEAD}}`,
    `{${HEAD}}\0`,
    `\0{${HEAD}}`,
    `{${HEAD}}\x0b`,
    `[{${HEAD}}]`,
    `"{${HEAD}}"`,
    'null',
    '1',
  ]);
  const whole = `{${HEAD},"x":[1.5e3,true,"\\u00e9",{"a":null}]}`;
  for (let length = 0; length < whole.length; length += 1) unanswered([whole.slice(0, length)]);
});

test('a text that ends early is not read on in the longer one before it', () => {
  const long = `{${HEAD},"x":${'[1,'.repeat(50)}1${']'.repeat(50)}}`;
  assert.equal(judge(long), 'c-1');
  for (let length = long.length - 1; length > 0; length -= 1) unanswered([long.slice(0, length)]);
});

test('bytes that are not UTF-8 are not accepted, in a value, a name or the key', () => {
  for (const bad of [[0xc0, 0xaf], [0xe6, 0x9d], [0xed, 0xa0, 0x80], [0xe9], [0xff], [0xf4, 0x90, 0x80, 0x80]]) {
    for (const [start, end] of [
      [`{${HEAD},"x":"`, '"}'],
      [`{${HEAD},"x`, '":1}'],
      ['{"conversationStart":"2026-09-14T13:02:11Z","conversationId":"', '"}'],
    ] as const) {
      assert.equal(judge(Buffer.concat([Buffer.from(start), Buffer.from(bad), Buffer.from(end)])), undefined);
    }
  }
});

test('a repeated name is not accepted: known, unknown, first, last, nested, far away; nor one with an escape', () => {
  const many = Array.from({ length: 1000 }, (_, n) => `"name ${n}":${n}`).join(',');
  unanswered([
    `{${HEAD},"conversationId":"c-1"}`,
    `{"selfServed":true,${HEAD},"selfServed":true}`,
    `{${HEAD},"":1,"":2}`,
    `{${HEAD},"東京":1,"東京":2}`,
    `{${HEAD},"x":1,"y":{"x":1},"x":2}`,
    `{${HEAD},"x":{"__proto__":1,"__proto__":2}}`,
    `{${HEAD},"x":[[{"a":1,"b":[{"a":1}],"a":2}]]}`,
    `{${HEAD},"participants":[{"purpose":"a","sessions":[{"purpose":1}],"purpose":"b"}]}`,
    `{${HEAD},"participants":[{"attributes":{"a":"b","c":"d","a":"b"}}]}`,
    `{${HEAD},"x":{${many},"name 0":0}}`,
    `{${HEAD},"x":{${many},"name 999":0}}`,
    `{${HEAD},"\\u0061":1}`,
    `{${HEAD},"a\\"b":1}`,
    `{"conversation\\u0049d":"c-1","conversationStart":"2026-09-14T13:02:11Z"}`,
  ]);
});

test('a wrong number of members is not accepted', () => {
  const acceptor = createRecordAcceptor(schema);
  const bytes = Buffer.from(`{${HEAD},"x":{"y":1}}`);
  assert.deepEqual(
    [3, 4, 5].map((members) => acceptor.accept(bytes, members)),
    [undefined, 'c-1', undefined],
  );
});

test('what the schema refuses is not accepted', () => {
  unanswered([
    '{}',
    '{"conversationId":"c-1"}',
    '{"conversationStart":"2026-09-14T13:02:11Z"}',
    `{"x":{${HEAD}}}`,
    `{"conversationStart":"2026-09-14T13:02:11Z","x":{"conversationId":"c-1"}}`,
    ...['""', '7', 'null', '["c"]', '{"a":"c"}', '"\\u0061"'].map(
      (id) => `{"conversationId":${id},"conversationStart":"2026-09-14T13:02:11Z"}`,
    ),
  ]);
  const members = [
    ...['1', 'null', '{}', '[]', 'true'].map((value) => `"externalTag":${value}`),
    ...['1', 'null', '{}', '[]', '"true"'].map((value) => `"selfServed":${value}`),
    ...['"1"', 'null', '{}', '[]', 'true'].map((value) => `"mediaStatsMinConversationMos":${value}`),
    ...['{}', 'null', '"x"', '[1]', '["x",null]'].map((value) => `"divisionIds":${value}`),
    ...['[]', 'null', '"x"', '{"a":1}', '{"a":"b","c":{}}'].map((value) => `"participants":[{"attributes":${value}}]`),
    ...['[1]', '[[]]', '[{},null]', '[{"purpose":1}]', '[{"sessions":[{"recording":0}]}]'].map(
      (value) => `"participants":${value}`,
    ),
    ...['0.5', '"1"', 'null', 'true', '[]', '1.0', '1e2'].map((value) => `"surveys":[{"oSurveyTotalScore":${value}}]`),
  ];
  unanswered(members.map((member) => `{${HEAD},${member}}`));
});

test('a date-time is accepted in the form that Genesys writes, and no other text, whatever is changed in it', () => {
  const start = (text: string) => judge(`{"conversationId":"c","conversationStart":"${text}"}`);
  const forms = ['2026-09-14T13:02:11Z', '2026-09-14T13:02:11.417Z', '9999-19-39T29:59:59.0Z'];
  for (const form of forms) {
    assert.equal(start(form), 'c', form);
    for (let at = 0; at < form.length; at += 1) {
      const isFraction = at > 19 && at < form.length - 1 && form.length === 24;
      assert.equal(start(form.slice(0, at) + form.slice(at + 1)), isFraction ? 'c' : undefined);
      // As many bytes as before, so that all else is where it was; `judge` looks at whatever is accepted.
      for (let code = 0; code < 0x800; code += 1) {
        start(form.slice(0, at) + String.fromCharCode(code) + form.slice(at + (code < 0x80 ? 1 : 2)));
      }
    }
  }
  for (const text of [
    '',
    '2026-09-14',
    'yesterday',
    ...forms.flatMap((form) => [`${form}Z`, ` ${form}`, `${form} `]),
  ]) {
    assert.equal(start(text), undefined, text);
  }
  unanswered([`{"conversationId":"c","conversationStart":"2026-09-14T13:02:11Zx}`]);
  for (const text of [
    '2026-09-14T13:02:11.Z',
    '2026-09-14T13:02:11',
    '2026-09-14T13:02:11.417',
    '2026-09-14T13:02:11.\\u0031Z',
  ]) {
    assert.equal(start(text), undefined, text);
  }
});

test('what is too long, too deep or has too many names is left to others', () => {
  assert.equal(judge(`{${HEAD},"x":"${'x'.repeat(1024 * 1024)}"}`), undefined);
  assert.equal(judge(`{${HEAD}}${' '.repeat(1024 * 1024 - HEAD.length - 2)}`), 'c-1');
  assert.equal(judge(`{${HEAD},"x":${'['.repeat(256)}${']'.repeat(256)}}`), undefined);
  assert.equal(judge(`{${HEAD},"x":${'{"a":'.repeat(256)}1${'}'.repeat(256)}}`), undefined);
  assert.equal(judge(`{${HEAD},"x":{${Array.from({ length: 5000 }, (_, n) => `"${n}":0`).join(',')}}}`), undefined);
  // And the next one is read as ever.
  assert.equal(judge(`{${HEAD}}`), 'c-1');
});

const unknownName = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'toString', 'purpose', ''));
const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.uuid());
const attributes = fc.dictionary(unknownName, anyText);
const extra = fc.dictionary(
  unknownName.map((name) => `x-${name}`),
  fc.jsonValue(),
);

const record = (wrong: fc.Arbitrary<unknown>[]) => {
  const or = (right: fc.Arbitrary<unknown>) => fc.oneof({ arbitrary: right, weight: 12 }, ...wrong);
  const session = fc.record(
    { recording: or(fc.boolean()), ani: or(anyText), mediaCount: or(fc.nat()) },
    { requiredKeys: [] },
  );
  const participant = fc.record(
    { attributes: or(attributes), sessions: or(fc.array(or(session))) },
    { requiredKeys: [] },
  );
  const known = fc.record(
    {
      conversationId: or(fc.string({ minLength: 1 }).map((id) => id.replaceAll(/["\\]/g, ''))),
      conversationStart: or(fc.constantFrom('2026-09-14T13:02:11Z', '2026-09-14T13:02:11.417Z')),
      mediaStatsMinConversationMos: or(fc.double({ noNaN: true, noDefaultInfinity: true })),
      divisionIds: or(fc.array(or(anyText))),
      participants: or(fc.array(or(participant))),
    },
    { requiredKeys: ['conversationId', 'conversationStart'] },
  );
  return fc
    .tuple(known, extra, fc.constantFrom(undefined, 1, '\t'))
    .map(([members, more, indent]) => JSON.stringify({ ...members, ...more }, undefined, indent));
};

test('a record made by the schema is accepted unless a name needs an escape or the key is empty', () => {
  fc.assert(
    fc.property(record([]), (text) => {
      const { conversationId } = JSON.parse(text) as { conversationId: string };
      fc.pre(!hasEscapedKey(text) && conversationId !== '');
      assert.equal(judge(text), conversationId);
    }),
    { numRuns: 300 },
  );
});

test('a record close to the schema is accepted only where it is valid', () => {
  const wrong = [fc.jsonValue({ maxDepth: 1 })];
  fc.assert(
    fc.property(record(wrong), (text) => void judge(text)),
    { numRuns: 1000 },
  );
});
