import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { delivery } from '../../../fixtures/deliveries.ts';
import { httpSink, httpTarget } from '../../../fixtures/http-target.ts';
import { createHttpSink } from '../http-sink.ts';
import { PathTemplate } from './path-template.ts';

const never = new AbortController().signal;

test('method, path and headers come of the record and its headers, the body stays as it is', async (t) => {
  const { seen, origin } = await httpTarget(t);
  const sink = httpSink(t, {
    url: `${origin}/orgs/{org}/conversations/{id}?v={v}&fixed=1`,
    headers: { 'x-fixed': '1' },
    expressions: {
      method: 'has(record.conversationEnd) ? "PUT" : "PATCH"',
      path: { id: 'record.conversationId', org: 'headers["org"]', v: 'record.n' },
      headers: { 'X-Division': 'record.divisionIds[0]' },
    },
  });
  const one = delivery(1, { conversationId: 'a/b?c=ü&d', n: 5, divisionIds: ['d-7'] }, { org: '50%' });
  assert.deepEqual(await sink.deliver([one], never), [{ kind: 'delivered' }]);
  const [request] = seen;
  assert.equal(request?.method, 'PATCH');
  assert.equal(request.path, '/orgs/50%25/conversations/a%2Fb%3Fc%3D%C3%BC%26d?v=5&fixed=1');
  assert.deepEqual([request.headers['x-division'], request.headers['x-fixed']], ['d-7', '1']);
  assert.equal(request.headers['idempotency-key'], 'job:1');
  assert.deepEqual(request.body, one.body);
  const ended = delivery(2, { conversationEnd: 'x', n: 1, divisionIds: ['d'] }, { org: 'o' });
  await sink.deliver([ended], never);
  assert.equal(seen[1]?.method, 'PUT');
});

test('a record whose expression fails is rejected alone, without a request and without a word of it', async (t) => {
  const { seen, origin } = await httpTarget(t);
  const expressions = {
    method: 'has(record.method) ? record.method : "POST"',
    path: { id: 'record.id' },
    headers: { 'x-name': 'record.name' },
  };
  const sink = httpSink(t, { url: `${origin}/{id}`, expressions });
  const wrong = [
    { name: 'personal' },
    { id: '', name: 'personal' },
    { id: '..', name: 'personal' },
    { id: 'x'.repeat(2000), name: 'personal' },
    { id: '\ud83d', name: 'personal' },
    { id: 'a', name: 'personal\r\nx-admin: 1' },
    { id: 'a', name: '日本 personal' },
    { id: 'a', name: 'personal'.repeat(1000) },
    { id: 'a', name: ['personal'] },
    { id: 'a', name: 'b', method: 'DELETE' },
  ];
  for (const record of wrong) {
    const [outcome] = await sink.deliver([delivery(1, record)], never);
    assert.ok(outcome?.kind === 'rejected' && outcome.unsent, JSON.stringify(record));
    assert.equal(outcome.failure.cause, 'expression-error');
    assert.match(outcome.failure.reason, /^expressions\./);
    assert.doesNotMatch(outcome.failure.reason, /personal|admin|DELETE/);
  }
  assert.equal(seen.length, 0);
  assert.deepEqual(await sink.deliver([delivery(1, { id: 'a', name: 'b' })], never), [{ kind: 'delivered' }]);
});

test('law: whatever a text is, it stays one segment of the path, and comes out as it went in', () => {
  const template = new PathTemplate('/a/{id}/b?q={q}');
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), fc.string({ maxLength: 50 }), (id, q) => {
      const path = template.fill({ id, q });
      if (path === undefined) {
        assert.ok([id, q].some((text) => /^\.{0,2}$/.test(text) || !text.isWellFormed()));
        return;
      }
      const url = new URL(path, 'http://host.example');
      assert.equal(url.host, 'host.example');
      const segments = url.pathname.split('/');
      assert.equal(segments.length, 4);
      assert.equal(decodeURIComponent(segments[2]!), id);
      assert.deepEqual([...url.searchParams], [['q', q]]);
    }),
  );
  assert.equal(template.fixed, '/a/');
  assert.equal(new PathTemplate('/in?x=1').fixed, '/in?x=1');
});

test('expressions that cannot be used are refused at the start, by their place', () => {
  const base = { name: 'crm', url: 'https://crm.example/{id}' };
  const path = { id: 'record.id' };
  const wrong: [object, RegExp][] = [
    [{ expressions: { path: {}, headers: {} } }, /url has \{id\}; say what it is under expressions\.path/],
    [{ expressions: { path: { ...path, no: 'record.x' }, headers: {} } }, /expressions\.path\.no has no \{no\}/],
    [{ expressions: { path: { id: 'record.' }, headers: {} } }, /expressions\.path\.id is not usable/],
    [{ expressions: { path, headers: { 'x-a': '[1]' } } }, /expressions\.headers\.x-a is not usable.*not a text/],
    [{ expressions: { path, headers: { 'Content-Length': '"1"' } } }, /is set by the sink itself/],
    [{ expressions: { path, headers: {} }, batch: { records: 2, bytes: 1, ageMs: 0 } }, /look at one record/],
    [{ url: 'https://{id}.example/' }, /url/],
  ];
  for (const [options, problem] of wrong)
    assert.throws(
      () => createHttpSink({ ...base, ...options }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'sink-option-invalid');
        assert.match(error.message, problem);
        return true;
      },
    );
});
