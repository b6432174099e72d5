import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { testAuthority, trustedPair } from '@genesys-kafka/testing';
import { causesOf, PASSWORD, PostgresServer, recordOf } from '../../fixtures/postgres-area.ts';
import { creationOf } from './table.ts';

const never = new AbortController().signal;
let postgres: PostgresServer;
before(async () => {
  postgres = await PostgresServer.start({ tls: trustedPair });
});
after(async () => postgres[Symbol.asyncDispose]());

test('what the login may not do, and a login that is not accepted: misconfigured, each said by check; no secret in it', async () => {
  await using area = await postgres.area();
  const { admin, name, table } = area;
  const told: string[] = [];
  const refused = async (code: string, options: Parameters<typeof area.sink>[0], cause: RegExp) => {
    const sink = area.sink(options);
    await assert.rejects(sink.check(never), (error: Error & { code: string }) => {
      told.push(error.message, JSON.stringify(error), String(error.cause));
      assert.equal(error.code, code, error.message);
      return true;
    });
    const outcomes = await sink.deliver([recordOf('a', 1), recordOf('b', 1)], never);
    told.push(JSON.stringify(outcomes));
    for (const outcome of outcomes) {
      assert.ok(outcome.kind === 'misconfigured', JSON.stringify(outcome));
      assert.match(outcome.failure.cause, cause);
    }
  };
  await refused('sink-login-refused', { password: 'canary-wrong-password' }, /postgres-28P01/);
  await refused('sink-login-refused', { password: undefined }, /login-refused/);
  await refused('sink-database-refused', { url: area.url.replace(/[^/]*$/, 'nowhere') }, /postgres-3D000/);
  await refused('sink-database-refused', { table: 'nowhere.t' }, /postgres-3F000/);
  // A public schema gives nobody but its owner the right to make tables.
  await refused('sink-database-refused', { table: 'public.t' }, /database-refused/);
  await admin.query(creationOf({ table, recordType: 'jsonb', columns: {} }));
  await admin.query(`GRANT SELECT, INSERT ON ${table} TO ${name}`);
  await refused('sink-database-refused', {}, /postgres-42501/);
  await admin.query(`GRANT UPDATE ON ${table} TO ${name}`);
  await area.sink().check(never);
  for (const text of told) assert.doesNotMatch(text, /canary/);
  const inUrl = area.url.replace(`${name}@`, `${name}:${PASSWORD}@`);
  await area.sink({ url: inUrl, password: undefined }).check(never);
});

/** Has the process trust the test authority for the rest of a test, as `tls.caFile` does for good. */
function trust(t: TestContext): void {
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, testAuthority]);
  t.after(() => setDefaultCACertificates(usual));
}

test('TLS: a certificate nobody vouches for is refused, a trusted one is taken, and the session is encrypted', async (t) => {
  await using area = await postgres.area();
  const tls = { mode: 'verify-full' } as const;
  const sink = area.sink({ tls });
  await assert.rejects(sink.check(never), { code: 'sink-refused' });
  const [outcome] = await sink.deliver([recordOf('a', 1)], never);
  assert.ok(outcome!.kind === 'misconfigured' && outcome!.failure.cause === 'tls-refused');
  trust(t);
  await sink.check(never);
  assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 1)], never)), ['delivered']);
  const encrypted = `SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1`;
  assert.deepEqual((await area.admin.query(encrypted, [area.name])).rows, [{ ssl: true }]);
  await using plain = await PostgresServer.start({ own: true });
  await using elsewhere = await plain.area();
  await assert.rejects(elsewhere.sink({ tls }).check(never), {
    code: 'sink-refused',
    message: /tls: \{ mode: disable \}/,
  });
});
