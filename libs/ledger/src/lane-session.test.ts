import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type ConsumedRecord, type KafkaClient, type PartitionSlice } from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { newWindowEntry } from './entries.ts';
import { withLane, type LaneOptions } from './lane-session.ts';

const LEDGER = { topic: 'ledger', partition: 0 };
const ENTRY = newWindowEntry({ exportId: 'e', generation: 1, connector: 'c', contract: 'archive', window: 'w' });

/** A client whose ledger lies in memory; with a `failure`, no transaction can begin but that of a claim. */
function memoryClient() {
  const log: ConsumedRecord[] = [];
  const state: { failure?: KafkaError | undefined } = {};
  let begun = 0;
  const client = {
    transactionalProducer: () => {
      let isClaim = true;
      return {
        async begin() {
          begun += 1;
          if (state.failure && !isClaim) throw state.failure;
          isClaim = false;
          const sent: ConsumedRecord[] = [];
          return {
            send: async (_target: unknown, records: readonly { key: string; value: Buffer }[]) => {
              for (const { key, value } of records) {
                const place = { ...LEDGER, offset: BigInt(log.length + sent.length), timestampMs: 0 };
                sent.push({ ...place, key: Buffer.from(key), value, headers: {} });
              }
            },
            commit: async () => void log.push(...sent),
            abort: async () => undefined,
          };
        },
        close: async () => undefined,
      };
    },
    async *read(): AsyncGenerator<PartitionSlice> {
      const end = BigInt(log.length);
      yield { records: [...log], nextOffset: end, lastStableOffset: end, highWatermark: end };
    },
  };
  return { client: client as unknown as KafkaClient, state, beginnings: () => begun };
}

const optionsOf = (client: KafkaClient, clock: ManualClock): LaneOptions => ({
  client,
  identity: { transactionalId: 't', ledger: LEDGER, keyPrefix: 'e/' },
  limits: {
    transactionBytes: 1e6,
    transactionMs: 1000,
    bufferBytes: 1e6,
    sendBytes: 1e5,
    objectBytes: 0,
    maxSendBytes: () => 1e6,
  },
  signal: new AbortController().signal,
  clock,
});

test('hours without a commit are no standstill: the five minutes begin with the first interruption', async () => {
  const { client, state } = memoryClient();
  const clock = new ManualClock();
  let runs = 0;
  const done = withLane(optionsOf(client, clock), async (_lane, publisher) => {
    runs += 1;
    // A job that is waited for; then the broker is away for a moment, just as there is something to commit.
    if (runs === 1) await clock.sleep(3 * 3_600_000);
    state.failure = runs === 1 ? new KafkaError('broker-unreachable', 'The broker is away.') : undefined;
    await publisher.write({ key: 'e/1/w', entry: ENTRY, records: [] });
    await publisher.flush();
    return 'done';
  });
  const settled = done.then(
    (value) => value,
    (error: unknown) => error,
  );
  await clock.advance(4 * 3_600_000);
  assert.equal(await settled, 'done');
  assert.equal(runs, 2);
});

test('a verdict of the brokers ends the lane at once, and is what is told', async () => {
  const { client, state } = memoryClient();
  let runs = 0;
  const done = withLane(optionsOf(client, new ManualClock()), async (_lane, publisher) => {
    runs += 1;
    state.failure = new KafkaError('authorization-failed', 'Not authorized to access topics.');
    await publisher.write({ key: 'e/1/w', entry: ENTRY, records: [] });
    await publisher.flush();
  });
  await assert.rejects(done, { code: 'authorization-failed' });
  assert.equal(runs, 1);
});
