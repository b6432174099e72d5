import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '@genesys-kafka/delivery';
import fc from 'fast-check';
import { settleBatch, type Written } from './settle-batch.ts';

interface Given {
  readonly key: string;
  readonly version: number;
  readonly good: boolean;
}

const deliveryOf = ({ key, version }: Given) => ({ key, recordVersion: BigInt(version) }) as Delivery;

/** A table that takes what a Postgres with the sink's statement would, and refuses a statement with a bad record in it. */
class Table {
  readonly rows = new Map<string, bigint>();
  statements = 0;
  readonly #bad: ReadonlySet<Delivery>;
  readonly #general: (statement: number) => Written | undefined;

  constructor(bad: ReadonlySet<Delivery>, general: (statement: number) => Written | undefined = () => undefined) {
    this.#bad = bad;
    this.#general = general;
  }

  readonly write = async (records: readonly Delivery[]): Promise<Written> => {
    await Promise.resolve();
    const keys = records.map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length, 'no key twice in a statement');
    assert.deepEqual(keys, keys.toSorted(), 'ids in one order');
    this.statements += 1;
    const general = this.#general(this.statements);
    if (general) return general;
    if (records.some((record) => this.#bad.has(record)))
      return { kind: 'unstorable', failure: { cause: 'bad', reason: 'bad' } };
    for (const { key, recordVersion } of records)
      if ((this.rows.get(key) ?? -1n) < recordVersion) this.rows.set(key, recordVersion);
    return { kind: 'delivered' };
  };
}

const record = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  version: fc.nat({ max: 30 }),
  good: fc.boolean(),
});

test('law: the newest good record of each key is stored, exactly the bad ones that were tried are rejected', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 40 }), async (given) => {
      const batch = given.map(deliveryOf);
      const table = new Table(new Set(batch.filter((_, index) => !given[index]!.good)));
      const outcomes = await settleBatch(batch, table.write);
      assert.equal(outcomes.length, batch.length);
      for (const [key, ofKey] of Map.groupBy(batch.keys(), (index) => given[index]!.key)) {
        const good = ofKey.filter((index) => given[index]!.good).map((index) => given[index]!.version);
        assert.equal(table.rows.get(key), good.length > 0 ? BigInt(Math.max(...good)) : undefined);
        for (const index of ofKey) {
          const { version, good: isGood } = given[index]!;
          if (isGood) assert.equal(outcomes[index]!.kind, 'delivered');
          // A bad one that a good one has overtaken was never tried.
          else if (version > Math.max(-1, ...good)) assert.equal(outcomes[index]!.kind, 'rejected');
        }
      }
    }),
  );
});

test('a batch that can be stored is one statement; one bad record of 500 costs about two for each halving', async () => {
  const batch = Array.from({ length: 500 }, (_, n) =>
    deliveryOf({ key: `k-${String(n).padStart(3, '0')}`, version: n, good: true }),
  );
  const good = new Table(new Set());
  await settleBatch(batch, good.write);
  assert.equal(good.statements, 1);
  const table = new Table(new Set([batch[77]!]));
  const outcomes = await settleBatch(batch, table.write);
  assert.deepEqual(
    outcomes.flatMap(({ kind }, index) => (kind === 'delivered' ? [] : [index])),
    [77],
  );
  assert.ok(table.statements <= 20, `${table.statements} statements`);
});

test('what fails for all ends the work: the rest of the batch is not tried, and what is done stays done', async () => {
  const batch = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key) => deliveryOf({ key, version: 1, good: true }));
  const away: Written = { kind: 'retry', failure: { cause: 'away', reason: 'away' } };
  // The whole is refused for h, its first half is written, then the server goes.
  const table = new Table(new Set([batch[7]!]), (statement) => (statement > 2 ? away : undefined));
  const outcomes = await settleBatch(batch, table.write);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    [...Array.from({ length: 4 }, () => 'delivered'), ...Array.from({ length: 4 }, () => 'retry')],
  );
  assert.equal(table.statements, 3);
});

test('a record without a key is rejected, and is in no statement', async () => {
  const batch = [deliveryOf({ key: '', version: 1, good: true }), deliveryOf({ key: 'a', version: 1, good: true })];
  const table = new Table(new Set());
  const [none, some] = await settleBatch(batch, table.write);
  assert.ok(none!.kind === 'rejected' && none!.failure.cause === 'key-missing');
  assert.equal(some!.kind, 'delivered');
  assert.deepEqual([...table.rows.keys()], ['a']);
  assert.deepEqual(await settleBatch([batch[0]!], table.write), [none], 'and a batch of it alone is no statement');
  assert.equal(table.statements, 1);
});
