import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { testAuthority, trustedPair } from '@genesys-kafka/testing';
import fc from 'fast-check';
import { causesOf, PASSWORD, PostgresServer, recordOf } from '../../fixtures/postgres-area.ts';
import { creationOf } from './table.ts';

const never = new AbortController().signal;
let postgres: PostgresServer;
before(async () => {
  postgres = await PostgresServer.start({ tls: trustedPair });
});
after(async () => postgres[Symbol.asyncDispose]());

interface Row {
  readonly id: string;
  readonly record: { readonly n: number };
  readonly version: string;
  readonly source: string;
}

test('makes the table, and one row a key: only a greater version overwrites, a repeat changes nothing', async () => {
  await using area = await postgres.area();
  const sink = area.sink();
  await sink.check(never);
  await sink.deliver([recordOf('a', 5), recordOf('b', 6)], never);
  const before = await area.rows('id, updated_at, xmin::text');
  const outcomes = await sink.deliver([recordOf('a', 5), recordOf('a', 3), recordOf('b', 6)], never);
  assert.deepEqual(causesOf(outcomes), ['delivered', 'delivered', 'delivered']);
  assert.deepEqual(await area.rows('id, updated_at, xmin::text'), before, 'not even written again');
  await sink.deliver([recordOf('b', 7), recordOf('a', 9), recordOf('a', 8)], never);
  assert.deepEqual(await area.rows<Row>('id, record, version, source'), [
    { id: 'a', record: { conversationId: 'a', n: 9 }, version: '9', source: 'job:9' },
    { id: 'b', record: { conversationId: 'b', n: 7 }, version: '7', source: 'job:7' },
  ]);
  await sink.check(never);
});

test('law: whatever comes when, in whichever batches, again and at once, each row is the newest of its key', async () => {
  await using area = await postgres.area();
  const sink = area.sink();
  const delivery = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.nat({ max: 50 }) });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(delivery, { minLength: 1, maxLength: 8 }), { maxLength: 6 }),
      async (batches) => {
        const prefix = `${(run += 1)}-`;
        const all = batches.map((batch) => batch.map(({ key, version }) => recordOf(prefix + key, version)));
        const outcomes = await Promise.all(all.map(async (batch) => sink.deliver(batch, never)));
        assert.ok(causesOf(outcomes.flat()).every((cause) => cause === 'delivered'));
        const rows = await area.rows<Row>('*', `WHERE id LIKE '${prefix}%'`);
        const newest = Map.groupBy(batches.flat(), ({ key }): string => key);
        assert.equal(rows.length, newest.size);
        for (const { id, version, record } of rows) {
          const best = Math.max(...newest.get(id.slice(prefix.length))!.map((one) => one.version));
          assert.deepEqual([Number(version), record.n], [best, best]);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('what jsonb cannot hold is rejected alone; its neighbours are stored, and so is an older record of its key', async () => {
  await using area = await postgres.area();
  const sink = area.sink();
  const odd = [
    ['nul', '{"t":"\\u0000"}', 'postgres-22P05'],
    ['half-pair', '{"t":"\\ud83d"}', 'postgres-22P02'],
    ['number', '{"n":1e999999}', 'postgres-22003'],
    ['bytes', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'postgres-22021'],
    ['deep', '['.repeat(100_000) + ']'.repeat(100_000), 'postgres-54001'],
    ['long-key'.repeat(2000), `{"n":"${Array.from({ length: 500 }, () => Math.random()).join('')}"}`, 'postgres-54000'],
  ] as const;
  const key = (name: string) =>
    name.startsWith('long-key') ? Array.from({ length: 500 }, () => Math.random()).join('') : name;
  const batch = odd.flatMap(([name, body], index) => [recordOf(`good-${index}`, 1), recordOf(key(name), 2, body)]);
  const outcomes = await sink.deliver([...batch, recordOf('nul', 1)], never);
  assert.deepEqual(causesOf(outcomes), [...odd.flatMap(([, , cause]) => ['delivered', cause]), 'delivered']);
  assert.ok(outcomes.every(({ kind }) => kind === 'delivered' || kind === 'rejected'));
  const rows = await area.rows<Row>();
  assert.deepEqual(rows.map(({ id }) => id).toSorted(), [...odd.map((_, index) => `good-${index}`), 'nul'].toSorted());
  assert.equal(rows.find(({ id }) => id === 'nul')!.version, '1');
});

test('json, text and bytea keep every byte of the record', async () => {
  const body = '{ "big": 9007199254740993,\n "t": "Grüße \\ud83d\\u0000", "a": 1, "a": -0 }';
  for (const recordType of ['json', 'text', 'bytea'] as const) {
    await using area = await postgres.area();
    const sink = area.sink({ recordType });
    assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 1, body)], never)), ['delivered']);
    const [row] = await area.rows<{ text: string }>(
      recordType === 'bytea' ? "convert_from(record, 'UTF8') AS text" : 'record::text AS text',
    );
    assert.equal(row!.text, body, recordType);
    await sink.check(never);
  }
});

test('generated columns: filled by Postgres, a record they fail for is rejected alone; a missing one is said with its ALTER TABLE', async () => {
  await using area = await postgres.area();
  const columns = { n: { type: 'bigint', as: "(record->>'n')::bigint" }, Who: { type: 'text', as: "record->>'who'" } };
  const sink = area.sink({ columns });
  const outcomes = await sink.deliver(
    [recordOf('a', 1, '{"n":7,"who":"x"}'), recordOf('b', 1, '{"n":"seven"}'), recordOf('c', 1, '{}')],
    never,
  );
  assert.deepEqual(causesOf(outcomes), ['delivered', 'postgres-22P02', 'delivered']);
  assert.deepEqual(await area.rows('id, n, "Who"'), [
    { id: 'a', n: '7', Who: 'x' },
    { id: 'c', n: null, Who: null },
  ]);
  const more = area.sink({
    columns: { ...columns, direction: { type: 'text', as: "record->>'originatingDirection'" } },
  });
  await assert.rejects(more.check(never), ({ message }: Error) => {
    const [, alter] = /column direction is missing, text expected \((ALTER TABLE .*)\)/.exec(message)!;
    void area.admin.query(alter!);
    return true;
  });
  await more.check(never);
  const other = area.sink({ columns: { n: { type: 'text', as: "record->>'n'" } } });
  await assert.rejects(other.check(never), /column n is bigint, text expected/);
  await assert.rejects(
    area
      .sink({ table: `${area.name}.bad`, columns: { x: { type: 'text', as: 'nonsense(' } } })
      .deliver([recordOf('a', 1)], never)
      .then((all) => {
        assert.equal(all[0]!.kind, 'misconfigured');
        throw new Error('seen');
      }),
    /seen/,
  );
});

test('a table of another shape is refused with every difference, before and in a run, and nothing is written', async () => {
  await using area = await postgres.area();
  await area.admin.query(
    `CREATE TABLE ${area.table} (id varchar(36) PRIMARY KEY, record json, version int NOT NULL, owner text NOT NULL, note text)`,
  );
  await area.admin.query(`GRANT ALL ON ${area.table} TO ${area.name}`);
  const sink = area.sink();
  await assert.rejects(sink.check(never), ({ code, message }: Error & { code: string }) => {
    assert.equal(code, 'sink-table-mismatch');
    for (const difference of [
      'id is character varying(36), text expected',
      'record is json, jsonb expected',
      'version is integer, bigint expected',
      'source is missing, text expected',
      'owner must have a value',
    ])
      assert.ok(message.includes(difference), `${difference} in ${message}`);
    assert.doesNotMatch(message, /note/);
    return true;
  });
  const [outcome] = await sink.deliver([recordOf('a', 1)], never);
  assert.ok(outcome!.kind === 'misconfigured' && outcome!.failure.cause === 'table-mismatch');
  assert.match(outcome!.failure.reason, /version is integer/);
  await area.admin.query(`DROP TABLE ${area.table}`);
  assert.deepEqual(causesOf(await sink.deliver([recordOf('a', 1)], never)), ['delivered'], 'mended while it runs');
  await area.admin.query(`ALTER TABLE ${area.table} DROP CONSTRAINT conversations_pkey`);
  await assert.rejects(sink.check(never), /sink-database-refused|no primary key/);
  const [without] = await sink.deliver([recordOf('a', 2)], never);
  assert.ok(without!.kind === 'misconfigured' && without!.failure.cause === 'postgres-42P10');
});

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
    const outcomes = await sink.deliver([recordOf('a', 1), recordOf('b', 1, '{"t":"\\u0000"}')], never);
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
  await using plain = await PostgresServer.start();
  await using elsewhere = await plain.area();
  await assert.rejects(elsewhere.sink({ tls }).check(never), { code: 'sink-refused' });
});
