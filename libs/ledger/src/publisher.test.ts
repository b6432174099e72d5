import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  decodeBatch,
  partitionName,
  type OutgoingRecord,
  type TopicPartition,
  type Transaction,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import { batchesOf } from '../fixtures/batches.ts';
import { decodeLedgerValue, type LedgerEntry } from './entries.ts';
import type { ClaimedLane } from './lane.ts';
import { isLaneInterrupted, LanePublisher, type PublishStep } from './publisher.ts';

const LEDGER = { topic: 'ledger', partition: 3 };

interface Committed {
  readonly entries: Map<string, LedgerEntry>;
  readonly values: Map<number, string[]>;
}

/** A broker in memory that checks the client's duties, answers late and in any order, and fails at call `failAt`. */
class MemoryLog implements TransactionalProducer {
  readonly committed: Committed[] = [];
  readonly #busy = new Set<string>();
  readonly #failAt: number;
  #isOpen = false;
  #calls = 0;
  isClosed = false;

  constructor(failAt = Number.POSITIVE_INFINITY) {
    this.#failAt = failAt;
  }

  async begin(): Promise<Transaction> {
    assert(!this.#isOpen, 'one transaction at a time');
    this.#isOpen = true;
    await this.#answer();
    const open: Committed = { entries: new Map(), values: new Map() };
    return {
      send: (target, records) => this.#send(open, target, records),
      sendBatches: async (target, batches) => {
        const decoded = await Promise.all(batches.map(async (batch) => decodeBatch(batch)));
        await this.#send(open, target, decoded.flat());
      },
      commit: async () => {
        assert.equal(this.#busy.size, 0, 'all sends are settled before the commit');
        await this.#answer();
        this.committed.push(open);
        this.#isOpen = false;
      },
      abort: async () => undefined,
    };
  }

  async close(): Promise<void> {
    assert.equal(this.#busy.size, 0, 'all sends are settled before the producer is discarded');
    this.isClosed = true;
  }

  async #send(open: Committed, target: TopicPartition, records: readonly OutgoingRecord[]): Promise<void> {
    const name = partitionName(target);
    assert(!this.#busy.has(name), 'two sends for one partition overlap');
    this.#busy.add(name);
    try {
      await this.#answer();
      for (const { key, value } of records) this.#append(open, target, String(key), value as Buffer);
    } finally {
      this.#busy.delete(name);
    }
  }

  #append(open: Committed, target: TopicPartition, key: string, value: Buffer): void {
    if (target.topic === LEDGER.topic) {
      open.entries.set(key, decodeLedgerValue(key, value) as LedgerEntry);
    } else {
      const values = open.values.get(target.partition) ?? [];
      values.push(value.toString());
      open.values.set(target.partition, values);
    }
  }

  async #answer(): Promise<void> {
    this.#calls += 1;
    const call = this.#calls;
    for (let turns = call % 4; turns >= 0; turns -= 1) await setImmediate();
    if (call >= this.#failAt) throw new Error(`call ${call} fails`);
  }
}

function laneOn(producer: TransactionalProducer): ClaimedLane {
  const identity = { transactionalId: 'id', ledger: LEDGER, keyPrefix: '' };
  return { identity, producer, nonce: 'n', entries: new Map() };
}

const limits = {
  transactionBytes: 3000,
  transactionMs: 5000,
  bufferBytes: 2000,
  stepBytes: 1000,
};

/** Step `n` of a window: records named `<key>:<ordinal>`, and the entry that counts them. */
async function step(key: string, from: number, sizes: readonly number[]): Promise<PublishStep> {
  const records = sizes.map((size, index) => {
    const name = `${key}:${from + index}:`;
    return {
      topic: 'data',
      partition: (from + index) % 3,
      record: { key: name, value: Buffer.from(name.padEnd(size, '.')) },
    };
  });
  const position = { records: from + sizes.length, chain: '' };
  return { key, entry: { v: 1, kind: 'window', position } as LedgerEntry, batches: batchesOf(records) };
}

const stepsArbitrary = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b'), sizes: fc.array(fc.integer({ min: 8, max: 900 }), { maxLength: 6 }) }),
  { maxLength: 40 },
);

/** What a reader of the committed log knows: each window's records are exactly those its entry counts, in order. */
function assertConsistent(log: MemoryLog): Map<string, number> {
  const positions = new Map<string, number>();
  const seen = new Map<string, number[]>();
  for (const { entries, values } of log.committed) {
    for (const inPartition of values.values()) {
      const last = new Map<string, number>();
      for (const value of inPartition) {
        const [key, ordinal] = value.split(':') as [string, string];
        assert(Number(ordinal) > (last.get(key) ?? -1), 'order within a partition');
        last.set(key, Number(ordinal));
        seen.set(key, [...(seen.get(key) ?? []), Number(ordinal)]);
      }
    }
    for (const [key, entry] of entries) positions.set(key, entry.position.records);
    for (const [key, ordinals] of seen) {
      const expected = Array.from({ length: positions.get(key) ?? 0 }, (_, index) => index);
      assert.deepEqual(
        ordinals.toSorted((a, b) => a - b),
        expected,
        `records of ${key} and its position disagree`,
      );
    }
  }
  return positions;
}

async function writeAll(
  publisher: LanePublisher,
  steps: readonly { key: string; sizes: number[] }[],
): Promise<Map<string, number>> {
  const written = new Map<string, number>();
  for (const { key, sizes } of steps) {
    const from = written.get(key) ?? 0;
    written.set(key, from + sizes.length);
    await publisher.write(await step(key, from, sizes));
  }
  return written;
}

test('every record is committed once, in order, with the entry that counts it', async () => {
  await fc.assert(
    fc.asyncProperty(stepsArbitrary, async (steps) => {
      const log = new MemoryLog();
      let peak = 0;
      const publisher = new LanePublisher(laneOn(log), limits, {
        onBuffered: (bytes) => (peak = Math.max(peak, bytes)),
      });
      const written = await writeAll(publisher, steps);
      await publisher.flush();
      assert.deepEqual(assertConsistent(log), written);
      await publisher.close();
      assert(log.isClosed);
      const largest = Math.max(0, ...steps.map(({ sizes }) => sizes.reduce((sum, size) => sum + size + 150, 0)));
      assert(peak <= 2 * limits.bufferBytes + largest, `buffered ${peak} bytes`);
    }),
  );
});

test('when any call fails, what is committed is still consistent and every later call says so', async () => {
  await fc.assert(
    fc.asyncProperty(stepsArbitrary, fc.integer({ min: 1, max: 40 }), async (steps, failAt) => {
      const log = new MemoryLog(failAt);
      const publisher = new LanePublisher(laneOn(log), limits);
      let error: unknown;
      await writeAll(publisher, steps)
        .then(() => publisher.flush())
        .catch((caught: unknown) => (error = caught));
      assertConsistent(log);
      if (error) {
        assert(isLaneInterrupted(error));
        assert(publisher.signal.aborted);
        await assert.rejects(publisher.write(await step('a', 0, [])), isLaneInterrupted);
        await assert.rejects(publisher.flush(), isLaneInterrupted);
      }
      await publisher.close();
      assert(log.isClosed);
    }),
  );
});

test('batches of tiny records are bounded by their number: what each takes besides its bytes counts', async () => {
  const held = { records: 0, most: 0 };
  const log = new MemoryLog();
  const counting: TransactionalProducer = {
    begin: async () => {
      const transaction = await log.begin();
      return {
        ...transaction,
        sendBatches: async (target, batches) => {
          await transaction.sendBatches(target, batches);
          for (const { count } of batches) held.records -= count;
        },
      };
    },
    close: async () => log.close(),
  };
  const publisher = new LanePublisher(laneOn(counting), { ...limits, bufferBytes: 3000 });
  for (let ordinal = 0; ordinal < 400; ordinal += 1) {
    const next = await step('a', ordinal, [8]);
    held.records += 1;
    const written = publisher.write(next);
    held.most = Math.max(held.most, held.records);
    await written;
  }
  await publisher.flush();
  assert.equal(assertConsistent(log).get('a'), 400);
  assert(held.most <= 60, `${held.most} records waited at once`);
  await publisher.close();
});

test('a step is told once that all of its batches are sent, and not where one of them failed', async () => {
  for (const failAt of [Number.POSITIVE_INFINITY, 3]) {
    const publisher = new LanePublisher(laneOn(new MemoryLog(failAt)), limits);
    const whole = await step('a', 0, [8, 8, 8, 8]);
    let told = 0;
    await publisher.write({ ...whole, onSent: () => void (told += 1) }).catch(() => undefined);
    await publisher.flush().catch((error: unknown) => assert(isLaneInterrupted(error)));
    assert(whole.batches.length > 1);
    assert.equal(told, failAt === 3 ? 0 : 1);
    await publisher.close();
  }
});

test('a transaction is closed by its age without being asked', async () => {
  const log = new MemoryLog();
  const clock = new ManualClock();
  const publisher = new LanePublisher(laneOn(log), limits, {}, clock);
  await publisher.write(await step('a', 0, [20]));
  await clock.advance(4900);
  assert.equal(log.committed.length, 0);
  await clock.advance(200);
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
  assert.equal(assertConsistent(log).get('a'), 1);
  await publisher.close();
});
