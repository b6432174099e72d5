import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  KafkaError,
  type ConsumedRecord,
  type EncodedBatch,
  type KafkaClient,
  type PartitionSlice,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { batchesOf } from '../fixtures/batches.ts';
import { newWindowEntry } from './entries.ts';
import { withLane, type LaneOptions } from './lane-session.ts';
import { claimLane, lastClaim, type ClaimedLane } from './lane.ts';

const LEDGER = { topic: 'ledger', partition: 0 };
const IDENTITY = { transactionalId: 't', ledger: LEDGER, keyPrefix: 'e/' };
const ENTRY = newWindowEntry({ exportId: 'e', generation: 1, connector: 'c', contract: 'archive', window: 'w' });

/** A client whose ledger lies in memory; with a `failure`, no transaction can begin but that of a claim. */
function memoryClient() {
  const log: ConsumedRecord[] = [];
  const state: {
    failure?: KafkaError | undefined;
    claimsRefused: number;
    claimsUnanswered: number;
    send: (bytes: number) => Promise<void>;
  } = {
    claimsRefused: 0,
    claimsUnanswered: 0,
    send: async () => undefined,
  };
  let begun = 0;
  const client = {
    transactionalProducer: () => {
      let isClaim = true;
      return {
        async begin() {
          begun += 1;
          if (state.failure && !isClaim) throw state.failure;
          if (isClaim && state.claimsRefused > 0) {
            state.claimsRefused -= 1;
            throw new KafkaError('broker-unreachable', 'The broker is away.');
          }
          const isUnanswered = isClaim && state.claimsUnanswered > 0;
          if (isUnanswered) state.claimsUnanswered -= 1;
          isClaim = false;
          const sent: ConsumedRecord[] = [];
          return {
            send: async ({ topic }: TopicPartition, records: readonly { key: string; value: Buffer }[]) => {
              assert.equal(topic, LEDGER.topic);
              for (const { key, value } of records) {
                const place = { ...LEDGER, offset: BigInt(log.length + sent.length), timestampMs: 0 };
                sent.push({ ...place, key: Buffer.from(key), value, headers: {} });
              }
            },
            sendBatches: async (_target: TopicPartition, batches: readonly EncodedBatch[]) => {
              for (const { rawBytes } of batches) await state.send(rawBytes);
            },
            commit: async () => {
              log.push(...sent);
              if (isUnanswered) throw new KafkaError('broker-unreachable', 'The answer was lost.');
            },
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
  identity: IDENTITY,
  limits: {
    transactionBytes: 1e6,
    transactionMs: 1000,
    bufferBytes: 1e6,
    stepBytes: 1e5,
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
    await publisher.write({ key: 'e/1/w', entry: ENTRY, batches: [] });
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
    await publisher.write({ key: 'e/1/w', entry: ENTRY, batches: [] });
    await publisher.flush();
  });
  await assert.rejects(done, { code: 'authorization-failed' });
  assert.equal(runs, 1);
});

test('the first claim waits for brokers as long as a later one: forty answers that were lost end no run', async () => {
  const { client, state } = memoryClient();
  state.claimsRefused = 40;
  const clock = new ManualClock();
  const done = withLane(optionsOf(client, clock), async () => 'done').catch((error: unknown) => error);
  await clock.advance(300_000);
  assert.equal(await done, 'done');
  assert.equal(state.claimsRefused, 0);
});

test('what a slow line has taught is not forgotten with the publisher that failed on it', async () => {
  const { client, state } = memoryClient();
  const clock = new ManualClock();
  const sends: number[] = [];
  state.send = async (bytes) => {
    sends.push(bytes);
    if (sends.length > 1) return;
    await clock.sleep(25_000);
    throw new KafkaError('broker-unreachable', 'The send took too long.');
  };
  const done = withLane(optionsOf(client, clock), async (_lane, publisher) => {
    const record = { key: 'k', value: Buffer.alloc(publisher.stepBytes) };
    const batches = batchesOf([{ topic: 'data', partition: 0, record }]);
    await publisher.write({ key: 'e/1/w', entry: ENTRY, batches });
    await publisher.flush();
  });
  const settled = done.then(
    () => 'done',
    (error: unknown) => error,
  );
  await clock.advance(120_000);
  assert.equal(await settled, 'done');
  const [first, ...later] = sends;
  assert(first! > 90_000, String(first));
  assert(Math.max(...later) < 50_000, later.join(' '));
});

/** A lane that is interrupted in its first run; then `during` is called with each further trouble. */
async function interrupted({ client, state }: ReturnType<typeof memoryClient>, during: (trouble: number) => void) {
  const clock = new ManualClock();
  let [runs, troubles] = [0, 0];
  const options = { ...optionsOf(client, clock), onInterrupted: () => during(troubles++) };
  const ended = withLane(options, async (_lane, publisher) => {
    runs += 1;
    state.failure = runs === 1 ? new KafkaError('broker-unreachable', 'The broker is away.') : undefined;
    await publisher.write({ key: 'e/1/w', entry: ENTRY, batches: [] });
    await publisher.flush();
    return 'done';
  }).catch((error: unknown) => error);
  await clock.advance(60_000);
  return ended;
}

test('a later command that claims the lane between two attempts to claim it again keeps it: the earlier one ends', async () => {
  const memory = memoryClient();
  const claims: Promise<ClaimedLane>[] = [];
  const ended = await interrupted(memory, (trouble) => {
    if (trouble === 0) memory.state.claimsRefused = 1;
    else claims.push(claimLane(memory.client, IDENTITY));
  });
  assert.equal((ended as { code?: string }).code, 'taken-over');
  assert.equal(claims.length, 1);
  assert.equal((await lastClaim(memory.client, IDENTITY))?.nonce, (await claims[0])?.nonce);
});

test('a claim of its own whose answer was lost is nobody else’s', async () => {
  const memory = memoryClient();
  const ended = await interrupted(memory, (trouble) => {
    if (trouble === 0) memory.state.claimsUnanswered = 2;
  });
  assert.equal(ended, 'done');
  assert.equal(memory.state.claimsUnanswered, 0);
});

test('what must not be claimed is not, at the first claim and at each later one', async () => {
  const memory = memoryClient();
  const refused = new KafkaError('topic-missing', 'The ledger is another one.');
  const clock = new ManualClock();
  const first = withLane(
    { ...optionsOf(memory.client, clock), mayClaim: async () => Promise.reject(refused) },
    async () => 'done',
  );
  await assert.rejects(first, refused);
  assert.equal(memory.beginnings(), 0);
  let asked = 0;
  const mayClaim = async () => {
    asked += 1;
    if (asked === 2) throw refused;
  };
  const later = withLane({ ...optionsOf(memory.client, clock), mayClaim }, async (_lane, publisher) => {
    memory.state.failure = new KafkaError('broker-unreachable', 'The broker is away.');
    await publisher.write({ key: 'e/1/w', entry: ENTRY, batches: [] });
    await publisher.flush();
  }).catch((error: unknown) => error);
  await clock.advance(60_000);
  assert.equal(await later, refused);
  // The first claim, and what was interrupted.
  assert.equal(memory.beginnings(), 2);
});
