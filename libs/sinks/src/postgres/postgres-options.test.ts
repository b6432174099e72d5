import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactText } from '@genesys-kafka/runtime';
import fc from 'fast-check';
import { targetOf } from './postgres-options.ts';
import { parsePostgresUrl, urlFault } from './postgres-url.ts';
import { POSTGRES_SINK } from './settings.ts';

const base = { name: 'db', table: 't', batch: { records: 1, bytes: 1, ageMs: 0 } };

test('law: user, password and database come out of a URL as they went in', () => {
  const word = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(word, word, word, (user, password, name) => {
      const database = name.replaceAll('/', '_');
      const url = `postgres://${[user, password].map(encodeURIComponent).join(':')}@db.example/${encodeURIComponent(database)}`;
      // `.` and `..` are steps in a URL's path.
      if (/^\.{1,2}$/.test(database)) return;
      assert.deepEqual(parsePostgresUrl(url), { host: 'db.example', port: 5432, user, password, database });
    }),
  );
});

test('a URL that cannot be used says why, and nothing of it is repeated', () => {
  const secret = 'canary-4711';
  for (const [url, why] of [
    [`nonsense ${secret}`, /is not a URL/],
    [`postgres://u:${secret}@h1:5432,h2:5432/d?target_session_attrs=read-write`, /names several servers; name one/],
    [`postgresql://u:${secret}@h1,h2/d`, /names several servers/],
    [`postgres://[::1]:5432,[::2]:5432/d`, /names several servers/],
    [`postgres://u:a,${secret}@h:port/d`, /is not a URL/],
    [`mysql://u:${secret}@h/d`, /is not a URL such as postgres/],
    [`xpostgres://u:${secret}@h/d`, /is not a URL/],
    [`postgresqlx://u:${secret}@h/d`, /is not a URL/],
    [`postgres:///${secret}`, /names no host/],
    [`postgres://u:${secret}@h`, /names no database/],
    [`postgres://u@h/${secret}/d`, /names no database/],
    [`postgres://h/${secret}`, /names no user/],
    [`postgres://u:${secret}@h/d?sslmode=prefer`, /sslmode other than/],
    [`postgres://u@h/d?options=${secret}`, /not known here \(1\)/],
    [`postgres://u:${secret}#@h/d`, /./],
    [`postgres://u@h/d#${secret}`, /a # in a password as %23/],
    [`postgres://u:${secret}%@h/d`, /%25/],
    [`postgres://${secret}%@h/d`, /%25/],
    [`postgres://u@h/${secret}%`, /%25/],
  ] as const) {
    const fault = urlFault(url);
    assert.match(fault ?? '', why, url);
    assert.ok(!fault!.includes(secret));
    assert.throws(() => targetOf({ ...base, url }), { code: 'sink-option-invalid' });
  }
});

test('TLS is verified everywhere but on this machine, unless it is switched off outright', () => {
  const tlsOf = (url: string, tls?: { mode?: 'verify-full' | 'disable' }) =>
    targetOf({ ...base, url, ...(tls ? { tls } : {}) }).tls;
  assert.deepEqual(tlsOf('postgres://u@db.example/d'), {});
  assert.equal(tlsOf('postgres://u@127.0.0.1/d'), undefined);
  assert.equal(tlsOf('postgres://u@[::1]/d'), undefined);
  assert.deepEqual(tlsOf('postgres://u@localhost/d', { mode: 'verify-full' }), {});
  assert.equal(tlsOf('postgres://u@db.example/d', { mode: 'disable' }), undefined);
  assert.equal(tlsOf('postgres://u@db.example/d?sslmode=disable'), undefined);
  for (const mode of ['require', 'verify-full'])
    assert.deepEqual(tlsOf(`postgresql://u@127.0.0.1/d?sslmode=${mode}`), {}, mode);
  assert.throws(() => tlsOf('postgres://u@h/d?sslmode=disable', { mode: 'verify-full' }), /leave one of them out/);
});

test('the password stands in one place, and is in no log from then on', () => {
  const inUrl = targetOf({ ...base, url: 'postgres://u:canary-of-the-url@db.example:6543/d' });
  assert.deepEqual(inUrl, {
    ...{ host: 'db.example', port: 6543, user: 'u', password: 'canary-of-the-url', database: 'd' },
    tls: {},
    shown: 'db.example:6543/d',
  });
  const apart = targetOf({ ...base, url: 'postgres://u@[2001:db8::1]/d', password: 'canary-of-the-setting' });
  assert.deepEqual([apart.password, apart.shown], ['canary-of-the-setting', '[2001:db8::1]:5432/d']);
  assert.equal(targetOf({ ...base, url: 'postgres://u@db.example/d' }).password, undefined);
  assert.doesNotMatch(redactText('canary-of-the-url canary-of-the-setting'), /canary/);
  assert.throws(() => targetOf({ ...base, url: 'postgres://u:one@h/d', password: 'other' }), {
    code: 'sink-option-invalid',
    message: /Sink "db": password is given, and the url holds one too/,
  });
});

test('a certificate to log in with needs TLS, by whichever way it is off', () => {
  const files = { certFile: 'a.pem', keyFile: 'a.key' };
  const tlsOf = (url: string, mode?: 'verify-full' | 'disable') =>
    targetOf({ ...base, url, tls: { ...files, mode } }).tls;
  assert.deepEqual(tlsOf('postgres://u@db.example/d'), files);
  assert.deepEqual(tlsOf('postgres://u@localhost/d', 'verify-full'), files);
  for (const [url, mode] of [
    ['postgres://u@localhost/d', undefined],
    ['postgres://u@db.example/d?sslmode=disable', undefined],
    ['postgres://u@db.example/d', 'disable'],
  ] as const)
    assert.throws(() => tlsOf(url, mode), { code: 'sink-option-invalid', message: /tls\.certFile needs TLS/ });
  // Said twice, and the same.
  assert.equal(targetOf({ ...base, url: 'postgres://u@h/d?sslmode=disable', tls: { mode: 'disable' } }).tls, undefined);
});

test('settings: names that SQL would read otherwise are refused, and so are columns of the sink itself', () => {
  const parse = (more: object) =>
    POSTGRES_SINK.safeParse({ type: 'postgres', url: 'postgres://u@h/d', table: 't', ...more });
  const { success, data } = parse({ table: 'crm.Conversations', batch: { age: '2s' } });
  assert.ok(success);
  assert.deepEqual(data.batch, { records: 500, bytes: 8 * 1024 * 1024, ageMs: 2000 });
  assert.equal(data.concurrency, 4);
  for (const table of ['a.b.c', 'a b', 't"; DROP TABLE x; --', '', '.t', 'x'.repeat(64)])
    assert.ok(!parse({ table }).success, table);
  assert.ok(parse({ columns: { started: { type: 'text', as: "record->>'conversationStart'" } } }).success);
  for (const name of ['id', 'version', 'a"b', '1st'])
    assert.ok(!parse({ columns: { [name]: { type: 'text', as: '1' } } }).success);
  assert.ok(!parse({ tls: { certFile: 'a.pem' } }).success);
});
