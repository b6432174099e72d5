import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RoutingError } from './errors.ts';
import { compileRule } from './rule.ts';

const VOICE = 'record.participants.exists(p, p.sessions.exists(s, s.mediaType == "voice"))';
const verdict = (rule: string, record: unknown, headers = {}) => compileRule(rule, 'r').evaluate({ record, headers });

test('the example of the configuration picks voice conversations, also where participants lack sessions', () => {
  const session = (mediaType: string) => ({ sessions: [{ mediaType }] });
  const rule = compileRule(VOICE, 'voice');
  const on = (participants: unknown) => rule.evaluate({ record: { participants }, headers: {} });
  assert.deepEqual(on([session('voice')]), { matched: true });
  assert.deepEqual(on([session('email'), session('chat')]), { matched: false });
  assert.deepEqual(on([{ purpose: 'agent' }, session('voice')]), { matched: true });
  assert.deepEqual(on([session('voice'), { purpose: 'agent' }]), { matched: true });
  assert.deepEqual(on([{ purpose: 'agent' }, session('email')]), { matched: false });
  assert.deepEqual(on([{ purpose: 'agent' }]), { matched: false });
  assert.deepEqual(rule.evaluate({ record: {}, headers: {} }), { matched: false });
});

test('a missing field, element or header makes a rule false; what decides without it still decides', () => {
  assert.deepEqual(verdict('record.a.b == 1', {}), { matched: false });
  assert.deepEqual(verdict('record.a[2] == 1', { a: [1] }), { matched: false });
  assert.deepEqual(verdict('headers["job-id"] == "j"', {}), { matched: false });
  assert.deepEqual(verdict('headers["job-id"] == "j"', {}, { 'job-id': 'j' }), { matched: true });
  assert.deepEqual(verdict('record.a == 1 || record.b == 2', { b: 2 }), { matched: true });
  assert.deepEqual(verdict('has(record.a) && record.a > 1.5', { a: 2 }), { matched: true });
  assert.deepEqual(verdict('record.n >= 92 && record.n < 92.5', { n: 92 }), { matched: true });
});

test('any other failure is an error with a column and without a value of the record', () => {
  const secret = 'tel:+15555550142';
  for (const rule of [
    'timestamp(record.ani) > timestamp("2026-01-01T00:00:00Z")',
    'int(record.ani) > 3',
    'record.ani + 1 == 2',
    'record.ani.exists(x, x == 1)',
    'record.ani',
  ]) {
    const result = verdict(rule, { ani: secret });
    assert.ok('error' in result, `${rule}: ${JSON.stringify(result)}`);
    assert.doesNotMatch(result.error, /5555/, rule);
  }
  assert.deepEqual(verdict('record.ani + 1 == 2', { ani: secret }), { error: 'no such overload at column 1' });
});

test('what cannot work is refused at compile time, naming route and column', () => {
  for (const [rule, column] of [
    ['record.a ==', 12],
    ['record.a == 1 && foo', 18],
    ['"a" + 1 == 2', 1],
    ['size(record)', undefined],
    ['record.a.matches("(a")', 18],
    ['record.a.matches(record.b)', 1],
    ['record.a.exists(a, record.a.exists(b, record.a.exists(c, record.a.exists(d, d == a))))', 1],
    ['', 1],
  ] as const) {
    assert.throws(
      () => compileRule(rule, 'crm'),
      (error) => {
        assert.ok(error instanceof RoutingError, rule);
        assert.equal(error.scope, 'usage');
        assert.match(error.message, /route "crm"/);
        assert.equal(error.details.position, column, `${rule}: ${error.message}`);
        return true;
      },
      rule,
    );
  }
});

test('matches takes linear time: a pattern that makes a backtracking engine hang', () => {
  const begun = performance.now();
  assert.deepEqual(verdict('record.a.matches("^(a+)+$")', { a: `${'a'.repeat(5000)}!` }), { matched: false });
  // That would take longer than the world is old.
  assert.ok(performance.now() - begun < 60_000);
  assert.deepEqual(verdict('record.a.matches("b+") && !record.a.matches("^b")', { a: 'abbc' }), { matched: true });
});

test('names with a meaning in JavaScript are names like others', () => {
  const record: unknown = JSON.parse(
    '{"a":[{"b":{}},{"b":{"constructor":"x","foo":"y","n":[{"constructor":null,"z":1}]}}],"__proto__":{"foo":1}}',
  );
  assert.deepEqual(verdict('record.a.exists(p, p.b.foo == "y")', record), { matched: true });
  assert.deepEqual(verdict('record.a.exists(p, p.b.constructor == "x")', record), { matched: true });
  assert.deepEqual(verdict('record.a[1].b.n[0].z == 1', record), { matched: true });
  assert.deepEqual(verdict('record.a[1].b.n[0].nope == 1', record), { matched: false });
  assert.deepEqual(verdict('record.foo == 1', record), { matched: false });
  assert.deepEqual(verdict('record.toString == 1', record), { matched: false });
});

test('loops that multiply are refused on records where they would block the process', () => {
  const pairs = 'record.p.exists(a, record.p.exists(b, a.i == b.i + 1.0))';
  const record = (n: number) => ({ p: Array.from({ length: n }, (_, i) => ({ i })) });
  assert.deepEqual(verdict(pairs, record(100)), { matched: true });
  assert.deepEqual(verdict(pairs, record(50_000)), { error: 'too costly for a record of this size' });
  const nested = 'record.p.exists(a, a.q.exists(b, b == 1)) || ["x", "y"].exists(m, record.p.exists(a, a.i == m))';
  assert.deepEqual(verdict(nested, record(50_000)), { matched: false });
});

const COSTLY = { error: 'too costly for a record of this size' };
const names = (count: number) => Array.from({ length: count }, (_, index) => `name-${index}`);

test('a function in a loop that goes through another list of the record is refused where it would take seconds', () => {
  const large = { a: names(8000), b: names(8000).reverse(), text: 'x'.repeat(2_000_000), s: names(8000).join(',') };
  for (const rule of [
    'record.a.all(n, n in record.b)',
    'record.a.exists(n, record.text.contains(n))',
    'record.a.exists(n, record.s.split(",").size() < 3)',
    'record.a.exists(n, size(record.a + record.b) < 3)',
    'record.a.exists(n, (record.a + [n]).exists(m, m == "none"))',
    'record.a.map(n, record.b).exists(l, l.exists(m, m == "none"))',
    'record.a.exists(n, [record.b].exists(l, l.exists(m, m == "none")))',
    'record.a.exists(n, n in (true ? record.b : record.a))',
    'record.a.filter(n, n != "x").exists(n, n in record["b"])',
    'record.a.exists(n, record.s.split(",").exists(m, m == n + "!"))',
    'record.a.exists(n, [record].exists(record, record.b.exists(m, m == n + "!")))',
  ]) {
    assert.deepEqual(verdict(rule, large), COSTLY, rule);
    const small = { a: names(20), b: names(20), text: 'x', s: 'a,b,c' };
    assert.ok('matched' in verdict(rule, small), rule);
  }
});

test('headers count as the record does: many of them, or a large one, are refused where they would block the process', () => {
  const many = Object.fromEntries(names(5000).map((name) => [name, 'v']));
  const tooCostly = { error: 'too costly for a record of this size' };
  const pairs = 'headers.exists(h, headers.exists(g, h == g + "x"))';
  assert.deepEqual(verdict(pairs, {}, many), tooCostly);
  assert.deepEqual(verdict(pairs, {}, { a: 'v', ax: 'v' }), { matched: true });
  const large = { text: 'x'.repeat(1_000_000) };
  const asked = 'record.a.exists(n, headers["text"].contains(n))';
  assert.deepEqual(verdict(asked, { a: names(5000) }, large), tooCostly);
  assert.deepEqual(verdict(asked, { a: names(5000) }, { text: 'x' }), { matched: false });
  const hidden = '[record.text].exists(headers, record.a.exists(n, headers.contains(n)))';
  assert.deepEqual(verdict(hidden, { a: names(5000), ...large }), tooCostly, 'a variable of that name');
});

test('a rule that is too large or too deep is refused when it is compiled', () => {
  const terms = (count: number) => Array.from({ length: count }, () => 'record.a == 1.0').join(' || ');
  assert.throws(() => compileRule(terms(1000), 'r'), { code: 'rule-invalid' });
  assert.throws(() => compileRule(`${'!('.repeat(120)}true${')'.repeat(120)}`, 'r'), { code: 'rule-invalid' });
  assert.deepEqual(verdict(terms(50), { a: 1 }), { matched: true });
});

test('a function in a loop costs what it goes through: ordinary rules on the largest conversations are not refused', () => {
  const participants = Array.from({ length: 8000 }, (_, index) => ({
    purpose: index % 2 === 0 ? 'agent' : 'customer',
    userId: `user-${index}`,
    attributes: Object.fromEntries(names(5).map((name) => [name, 'v'])),
    sessions: [{ mediaType: 'voice', segments: [{ queueId: 'q', wrapUpNote: 'a note of some length' }] }],
  }));
  const record = { participants, divisionIds: names(10), conversationStart: '2026-01-01T00:00:00Z', text: 'short' };
  for (const rule of [
    'record.participants.exists(p, p.purpose in ["acd", "ivr"])',
    'record.participants.exists(p, "none" in p.attributes)',
    'record.participants.exists(p, p.attributes.exists(k, k.startsWith("none")))',
    'record.participants.exists(p, p.userId in record.divisionIds)',
    'record.participants.exists(p, p.userId.lowerAscii().contains("none") || p.userId + "x" == "y")',
    'record.participants.exists(p, timestamp(record.conversationStart) < timestamp("2000-01-01T00:00:00Z"))',
    'record.participants.exists(p, p.sessions.exists(s, s.segments.exists(g, g.queueId in ["x"] || g.queueId in headers)))',
    'record.participants.exists(p, p.sessions.exists(s, s.mediaType == record.text + "x" || size(record.divisionIds) > 99))',
    'record.participants.filter(p, p.purpose == "agent").size() > 8000',
    'record.participants.exists(p, p.sessions.size() > size(record.participants))',
    '["x", "y"].exists(m, record.participants.exists(p, p.userId == m))',
    '"none" in record.divisionIds && record.text.contains("none")',
  ]) {
    assert.deepEqual(verdict(rule, record), { matched: false }, rule);
  }
});

test('real conversations are picked by what they hold', () => {
  const picked = (name: string) =>
    verdict(
      VOICE,
      JSON.parse(readFileSync(new URL(`../../conversation/fixtures/${name}.json`, import.meta.url), 'utf8')),
    );
  assert.deepEqual(picked('call-queue-transfer'), { matched: true });
  assert.deepEqual(picked('email-open'), { matched: false });
  assert.deepEqual(picked('message-webmessaging'), { matched: false });
});

test('a record nested too deeply to be walked is an error of the rule, not a crash', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const record: unknown = JSON.parse(`{"deep":${open.repeat(20_000)}1${close.repeat(20_000)}}`);
    assert.deepEqual(verdict('record.missing.size() > 0', record), {
      error: 'the record is nested too deeply for a rule',
    });
  }
});
