import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { EncodedBatch, TopicPartition, TransactionalProducer } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import { batchesOf } from '../fixtures/batches.ts';
import type { LedgerEntry } from './entries.ts';
import { isLaneInterrupted, LanePublisher } from './publisher.ts';
import { SendPace } from './send-pace.ts';

const KIB = 1024;
const DELIVERY_MS = 25_000;
/** The broker aborts a transaction that is older. */
const TRANSACTION_TIMEOUT_MS = 30_000;
const PARTITIONS = 6;

const limits = {
  transactionBytes: 32 * KIB * KIB,
  transactionMs: 5000,
  bufferBytes: KIB * KIB,
  stepBytes: 6 * KIB * KIB,
};

/** A line that takes one byte after the other, as a quota does, and a client that gives up on a send after its time. */
class SlowLine {
  commits = 0;
  timeouts = 0;
  readonly #clock: ManualClock;
  readonly #bytesPerMs: number;

  constructor(clock: ManualClock, bytesPerMs: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerMs;
  }

  producer(): TransactionalProducer {
    let freeAtMs = 0;
    const pass = async (bytes: number) => {
      const nowMs = this.#clock.monotonicMs();
      freeAtMs = Math.max(nowMs, freeAtMs) + bytes / this.#bytesPerMs;
      const tookMs = freeAtMs - nowMs;
      await this.#clock.sleep(Math.min(tookMs, DELIVERY_MS));
      if (tookMs > DELIVERY_MS) throw new Error('delivery took too long');
    };
    return {
      begin: async () => {
        const begunMs = this.#clock.monotonicMs();
        const assertInTime = () => {
          if (this.#clock.monotonicMs() - begunMs <= TRANSACTION_TIMEOUT_MS) return;
          this.timeouts += 1;
          throw new Error('the transaction timed out');
        };
        return {
          send: async () => pass(KIB),
          sendBatches: async (_target: TopicPartition, batches: readonly EncodedBatch[]) => {
            await pass(batches.reduce((sum, { bytes }) => sum + bytes.length, 0));
            assertInTime();
          },
          commit: async () => {
            assertInTime();
            this.commits += 1;
          },
          abort: async () => undefined,
        };
      },
      close: async () => undefined,
    };
  }
}

const RECORD_BYTES = 8 * KIB;
const MAX_STEP_RECORDS = 384;

/** Publishes as `withLane` does, again after each interruption, until the clock has run `ms` or `records` are committed. */
async function publishOver(
  line: SlowLine,
  clock: ManualClock,
  { records, ms, ratio = 1 }: { readonly records: number; readonly ms: number; readonly ratio?: number },
) {
  const pace = new SendPace();
  const state = { committed: 0, isOver: false };
  const run = async () => {
    while (state.committed < records && !state.isOver) {
      let written = state.committed;
      const identity = { transactionalId: 'id', ledger: { topic: 'ledger', partition: 0 }, keyPrefix: '' };
      const lane = { identity, producer: line.producer(), nonce: 'n', entries: new Map<string, LedgerEntry>() };
      const publisher = new LanePublisher(lane, limits, {}, clock, pace);
      try {
        while (written < records) {
          // 3 MiB, as an archive brings them, or as much as the line takes.
          const most = Math.min(MAX_STEP_RECORDS, records - written);
          const count = Math.min(most, Math.max(1, Math.floor(publisher.stepBytes / RECORD_BYTES)));
          const value = Buffer.alloc(RECORD_BYTES);
          const plain = batchesOf(
            Array.from({ length: count }, (_, index) => {
              return { topic: 'data', partition: index % PARTITIONS, record: { key: 'k', value } };
            }),
          );
          // As small as compression makes them: nobody looks at their bytes here.
          const batches = plain.map(({ batch, ...target }) => {
            return { ...target, batch: { ...batch, bytes: batch.bytes.subarray(0, batch.bytes.length / ratio) } };
          });
          await publisher.write({ key: 'w', entry: { v: 1, kind: 'window' } as LedgerEntry, batches });
          written += count;
        }
        await publisher.flush();
        state.committed = written;
      } catch (error) {
        assert(isLaneInterrupted(error));
      }
      await publisher.close();
    }
  };
  const running = run();
  running.catch(() => undefined).finally(() => (state.isOver = true));
  for (let at = 0; at < ms && !state.isOver; at += 500) {
    await clock.advance(500);
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  }
  return { pace, state, running };
}

test('a line of 15 kB a second: commits come, within the time of a transaction', async () => {
  const clock = new ManualClock();
  const line = new SlowLine(clock, 15);
  const { state } = await publishOver(line, clock, { records: 32_000, ms: 240_000 });
  assert(line.commits >= 5, `${line.commits} commits in 240 s`);
  assert.equal(line.timeouts, 0, 'transactions that the broker aborted');
  state.isOver = true;
});

for (const [ratio, speeds] of [
  [8.8, [60, 80, 100, 120, 150]],
  [20, [40, 60, 80, 150]],
] as const) {
  test(`lines of ${speeds.join(', ')} kB a second, batches of ${ratio} : 1: commits go on, and hardly a transaction is lost`, async () => {
    for (const speed of speeds) {
      const clock = new ManualClock();
      const line = new SlowLine(clock, speed);
      const { state } = await publishOver(line, clock, { records: 200_000, ms: 400_000, ratio });
      state.isOver = true;
      assert(line.commits >= 15, `${speed} kB/s: ${line.commits} commits in 400 s`);
      assert(line.timeouts <= 6, `${speed} kB/s: ${line.timeouts} time-outs`);
    }
  });
}

test('a line that is fast takes the largest sends from the beginning', async () => {
  const clock = new ManualClock();
  const line = new SlowLine(clock, 100_000);
  const { pace, running } = await publishOver(line, clock, { records: 1280, ms: 600_000 });
  await running;
  assert.equal(pace.share, 1);
});

test('steps and transactions are as small as the share says, from the first on', async () => {
  const pace = new SendPace();
  pace.failed(0, DELIVERY_MS);
  assert.equal(pace.share, 1 / 4);
  let commits = 0;
  const producer: TransactionalProducer = {
    begin: async () => ({
      send: async () => undefined,
      sendBatches: async () => undefined,
      commit: async () => void (commits += 1),
      abort: async () => undefined,
    }),
    close: async () => undefined,
  };
  const identity = { transactionalId: 'id', ledger: { topic: 'ledger', partition: 0 }, keyPrefix: '' };
  const lane = { identity, producer, nonce: 'n', entries: new Map<string, LedgerEntry>() };
  const most = { ...limits, transactionBytes: 256 * KIB };
  // No time passes: what is sent and committed, is for its size.
  const publisher = new LanePublisher(lane, most, {}, new ManualClock(), pace);
  assert.equal(publisher.stepBytes, limits.stepBytes / 4);
  const record = { topic: 'data', partition: 0, record: { key: 'k', value: Buffer.alloc(2 * KIB) } };
  for (let step = 0; step < 60; step += 1) {
    const batches = batchesOf([record]);
    await publisher.write({ key: 'w', entry: { v: 1, kind: 'window' } as LedgerEntry, batches });
    await setImmediate();
  }
  assert.equal(commits, 1);
  await publisher.flush();
  await publisher.close();
});

test('sends grow again when the line does, and one slow moment counts once for all sends that it held', () => {
  const pace = new SendPace();
  for (let partition = 0; partition < 6; partition += 1) pace.succeeded(0, 9000 + partition);
  assert.equal(pace.share, 1 / 2);
  for (let partition = 0; partition < 6; partition += 1) pace.failed(10_000, 35_000);
  assert.equal(pace.share, 1 / 8);
  pace.failed(40_000, 40_010);
  assert.equal(pace.share, 1 / 8, 'a refusal says nothing of the line');
  for (let at = 50_000; at < 100_000; at += 1000) pace.succeeded(at, at + 100);
  assert.equal(pace.share, 1);
});

test('whatever sends take, the share stays above nothing and never passes the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40_000), fc.boolean())), (sends) => {
      const pace = new SendPace();
      let nowMs = 0;
      for (const [tookMs, isSent] of sends) {
        if (isSent) pace.succeeded(nowMs, nowMs + tookMs);
        else pace.failed(nowMs, nowMs + tookMs);
        nowMs += tookMs;
        assert(pace.share >= 1 / 128 && pace.share <= 1);
      }
    }),
  );
});
