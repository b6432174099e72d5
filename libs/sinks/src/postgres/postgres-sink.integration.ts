import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { deliverAll } from '../../fixtures/deliver-all.ts';
import { causesOf, PostgresServer, recordOf } from '../../fixtures/postgres-area.ts';

const never = new AbortController().signal;
let postgres: PostgresServer;
before(async () => {
  postgres = await PostgresServer.start();
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

test('consumers that meet a missing table at once make it once, and each stores its records', async () => {
  await using area = await postgres.area();
  const numbers = Array.from({ length: 8 }, (_, n) => n);
  const outcomes = await Promise.all(numbers.map(async (n) => area.sink().deliver([recordOf(`k-${n}`, n)], never)));
  assert.deepEqual(new Set(causesOf(outcomes.flat())), new Set(['delivered']));
  assert.equal((await area.rows()).length, numbers.length);
});

test('law: whatever comes when, in whichever batches, again and at once, each row is the newest of its key', async () => {
  await using area = await postgres.area();
  const sink = area.sink();
  await sink.deliver([recordOf('first', 0)], never);
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
  const outcomes = await deliverAll(sink, [...batch, recordOf('nul', 1), recordOf('', 1)]);
  assert.deepEqual(causesOf(outcomes), [
    ...odd.flatMap(([, , cause]) => ['delivered', cause]),
    'delivered',
    'key-missing',
  ]);
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
  const outcomes = await deliverAll(sink, [
    recordOf('a', 1, '{"n":7,"who":"x"}'),
    recordOf('b', 1, '{"n":"seven"}'),
    recordOf('c', 1, '{}'),
  ]);
  assert.deepEqual(causesOf(outcomes), ['delivered', 'postgres-22P02', 'delivered']);
  assert.deepEqual(await area.rows('id, n, "Who"'), [
    { id: 'a', n: '7', Who: 'x' },
    { id: 'c', n: null, Who: null },
  ]);
  const more = area.sink({
    columns: { ...columns, direction: { type: 'text', as: "record->>'originatingDirection'" } },
  });
  const refusal = await more.check(never).then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
  const alter = /column direction is missing, text expected \((ALTER TABLE .*)\)\./.exec(refusal);
  assert.ok(alter, refusal);
  await area.admin.query(alter[1]!);
  await more.check(never);
  const other = area.sink({ columns: { n: { type: 'text', as: "record->>'n'" } } });
  await assert.rejects(other.check(never), /column n is bigint, text expected/);
  const nonsense = area.sink({ table: `${area.name}.bad`, columns: { x: { type: 'text', as: 'nonsense(' } } });
  const [outcome] = await nonsense.deliver([recordOf('a', 1)], never);
  assert.ok(outcome!.kind === 'misconfigured' && outcome!.failure.cause === 'postgres-42601', JSON.stringify(outcome));
  await assert.rejects(
    nonsense.check(never),
    /Table .*\.bad cannot be made: syntax error.* \(42601\)\. Correct .*columns/,
  );
  const zoned = { x: { type: 'timestamptz', as: "(record->>'x')::timestamptz" } };
  await assert.rejects(area.sink({ table: `${area.name}.bad`, columns: zoned }).check(never), /immutable \(42P17\)/);
  await area.sink({ table: `${area.name}.good`, columns }).check(never);
  const there = `SELECT to_regclass('${area.name}.good') IS NULL AS "isMissing"`;
  assert.deepEqual((await area.admin.query(there)).rows, [{ isMissing: true }], 'a check makes nothing');
});

test('a column that Postgres takes for no column is a fault of the configuration: no record is given up for it', async () => {
  await using area = await postgres.area();
  const own = `${area.name}.own`;
  await area.admin.query(`CREATE TYPE ${own} AS ENUM ('a'); REVOKE ALL ON TYPE ${own} FROM PUBLIC`);
  const table = `${area.name}.odd`;
  const more = '1) STORED); CREATE TABLE evil (x int); CREATE TABLE worse (y int GENERATED ALWAYS AS (1';
  for (const [type, as, state, says] of [
    ['varchar(0)', "record->>'n'", '22023', /Table .*\.odd cannot be made: length for type varchar/],
    ['nowhere', "record->>'n'", '42704', /Table .*\.odd cannot be made: type "nowhere" does not exist/],
    ['int', more, '42601', /Table .*\.odd cannot be made: cannot insert multiple commands/],
    [
      own,
      `NULL::${own}`,
      '42501',
      /our user has not the right to do this, or a policy for its rows refuses it \(42501\)/,
    ],
  ] as const) {
    const sink = area.sink({ table, columns: { x: { type, as } } });
    await assert.rejects(sink.check(never), { code: 'sink-database-refused', message: says });
    const outcomes = await sink.deliver([recordOf('a', 1), recordOf('b', 1)], never);
    for (const outcome of outcomes) {
      assert.ok(outcome.kind === 'misconfigured', `${type}: ${JSON.stringify(outcome)}`);
      assert.equal(outcome.failure.cause, `postgres-${state}`);
      assert.doesNotMatch(outcome.failure.reason, /record/);
    }
  }
  const made = await area.admin.query("SELECT 1 FROM pg_class WHERE relname IN ('odd', 'evil', 'worse')");
  assert.deepEqual(made.rows, []);
});

test('a database in another encoding than UTF-8 is refused, unless records are kept as bytes', async () => {
  await using area = await postgres.area();
  const { admin, name, url } = area;
  await admin.query(`CREATE DATABASE ${name} OWNER ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  const there = { url: url.replace(/[^/]*$/, name), table: 'conversations' };
  const text = area.sink(there);
  await assert.rejects(text.check(never), {
    code: 'sink-table-mismatch',
    message: /is in LATIN1, not in UTF8\. .*bytea/,
  });
  const [refused] = await text.deliver([recordOf('a', 1)], never);
  assert.ok(refused!.kind === 'misconfigured' && refused!.failure.cause === 'table-mismatch');
  const bytes = area.sink({ ...there, recordType: 'bytea' });
  await bytes.check(never);
  assert.deepEqual(causesOf(await bytes.deliver([recordOf('a', 1, '{"t":"☃"}')], never)), ['delivered']);
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

test('a column that is generated where it is to be written, or written where it is to be generated, is of another shape', async () => {
  await using area = await postgres.area();
  await area.admin
    .query(`CREATE TABLE ${area.table} (id text PRIMARY KEY, record jsonb NOT NULL, version bigint NOT NULL,
    source text GENERATED ALWAYS AS (record->>'n') STORED, updated_at timestamptz NOT NULL, n text)`);
  const columns = { n: { type: 'text', as: "record->>'n'" } };
  await assert.rejects(area.sink({ columns }).check(never), {
    code: 'sink-table-mismatch',
    message:
      /: column n is an ordinary one, a generated one expected; column source is a generated one, an ordinary one expected\. /,
  });
});

test('a missing table that our user may not make is said, with where it would be', async () => {
  await using area = await postgres.area();
  const { admin, name } = area;
  await admin.query(`ALTER ROLE ${name} SET search_path TO nowhere`);
  for (const [table, says] of [
    ['public.t', /Table public\.t is missing, and our user may not make it in schema public\. Make it by hand/],
    ['t', /Table t is missing, and there is no schema to make it in\. /],
  ] as const) {
    const sink = area.sink({ table });
    await assert.rejects(sink.check(never), { code: 'sink-database-refused', message: says });
    const [outcome] = await sink.deliver([recordOf('a', 1)], never);
    assert.ok(outcome!.kind === 'misconfigured' && outcome!.failure.cause === 'database-refused');
    assert.match(outcome!.failure.reason, says);
  }
});

test('a refusal of one record is its own, one of several is said to be of them, and one without a key is told apart', async () => {
  await using area = await postgres.area();
  const sink = area.sink();
  const shown = async (...batch: Parameters<typeof sink.deliver>[0]) =>
    (await sink.deliver(batch, never)).map((outcome) => {
      const cause = outcome.kind === 'delivered' ? '' : outcome.failure.cause;
      return [cause, 'ofSeveral' in outcome, 'unsent' in outcome];
    });
  const [good, bad, keyless] = [recordOf('a', 1), recordOf('b', 1, '{"t":"\\u0000"}'), recordOf('', 1)];
  assert.deepEqual(await shown(bad), [['postgres-22P05', false, false]]);
  assert.deepEqual(await shown(keyless, bad), [
    ['key-missing', false, true],
    ['postgres-22P05', false, false],
  ]);
  assert.deepEqual(await shown(good, bad, keyless), [
    ['postgres-22P05', true, false],
    ['postgres-22P05', true, false],
    ['key-missing', false, true],
  ]);
  assert.deepEqual(await shown(good, recordOf('c', 1)), [
    ['', false, false],
    ['', false, false],
  ]);
  let written = 0;
  assert.equal((await sink.deliver([keyless], never, () => (written += 1)))[0]!.kind, 'rejected');
  assert.equal(written, 0, 'nothing is asked of the server');
  await sink.deliver([good], never, () => (written += 1));
  assert.equal(written, 1);
});
