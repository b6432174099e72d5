import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createKafkaClient, readToEnd, type KafkaClient } from '@genesys-kafka/kafka';
import { startStack, uniquePrefix, type Stack } from '@genesys-kafka/testing';
import { partitionFor, topicSpecs, type TopicSpecs } from '@genesys-kafka/topics';
import { batchesOf } from '../fixtures/batches.ts';
import type { LedgerEntry } from './entries.ts';
import { claimLane, lastClaim, type LaneIdentity } from './lane.ts';
import { isLaneInterrupted, LanePublisher, type PublishStep } from './publisher.ts';

/** One broker hides the worst hole: three, and one of them is slow (docs/exactly-once.md, rule 1). */
let stack: Stack;
let client: KafkaClient;
let specs: TopicSpecs;

const limits = {
  transactionBytes: 60_000,
  transactionMs: 5_000,
  bufferBytes: 120_000,
  stepBytes: 500_000,
};

before(async () => {
  stack = await startStack({ brokers: 3, registry: false, slowBroker: { index: 1, latencyMs: 40 } });
  client = createKafkaClient({ clientId: 'lane-test', brokers: stack.brokers });
  specs = topicSpecs({ prefix: uniquePrefix() });
  await client.admin.createMissing([specs.data, specs.ledger]);
});

after(async () => {
  await client.close();
  await stack.close();
});

function laneOf(exportId: string): LaneIdentity {
  const partition = partitionFor(exportId, specs.ledger.partitions);
  return {
    transactionalId: `t.${exportId}`,
    ledger: { topic: specs.ledger.name, partition },
    keyPrefix: `${exportId}/`,
  };
}

const STEP = 20;

/** Records `from` to `from + STEP` of an export, over all partitions, and the entry that counts them. */
async function step(exportId: string, from: number): Promise<PublishStep> {
  const position = { records: from + STEP, chain: '' };
  return {
    key: `${exportId}/1/w`,
    entry: { v: 1, kind: 'window', exportId, generation: 1, position } as LedgerEntry,
    batches: batchesOf(
      Array.from({ length: STEP }, (_, index) => ({
        topic: specs.data.name,
        partition: (from + index) % specs.data.partitions,
        record: { key: exportId, value: Buffer.from(`${from + index}:`.padEnd(1000, '.')) },
      })),
    ),
  };
}

async function ordinalsOf(exportId: string): Promise<number[]> {
  const ordinals: number[] = [];
  for (let partition = 0; partition < specs.data.partitions; partition += 1) {
    for await (const slice of readToEnd(client, { topic: specs.data.name, partition })) {
      for (const { key, value } of slice.records) {
        if (key?.toString() === exportId) ordinals.push(Number.parseInt(value!.toString(), 10));
      }
    }
  }
  return ordinals.toSorted((a, b) => a - b);
}

test('a lane that is taken over again and again, each time in the middle, brings every record once', async () => {
  const exportId = 'relay';
  const total = 800;
  let runs = 0;
  for (let done = 0; done < total; runs += 1) {
    const lane = await claimLane(client, laneOf(exportId));
    const committed = (lane.entries.get(`${exportId}/1/w`) as LedgerEntry | undefined)?.position.records ?? 0;
    assert(committed >= done, 'a committed position went back');
    done = committed;
    const publisher = new LanePublisher(lane, limits);
    // The next holder takes over while this one has a transaction open and sends in flight.
    const until = Math.min(total, committed + 320 + 60 * runs);
    for (let from = committed; from < until; from += STEP) await publisher.write(await step(exportId, from));
    if (until < total) void publisher.close();
    else {
      await publisher.flush();
      await publisher.close();
      done = total;
    }
  }
  assert(runs > 1);
  assert.deepEqual(
    await ordinalsOf(exportId),
    Array.from({ length: total }, (_, index) => index),
  );
});

test('the earlier holder of a lane can commit nothing more, and the lane says who holds it', async () => {
  const exportId = 'zombie';
  const first = await claimLane(client, laneOf(exportId));
  // Commits by itself only after the second claim, however long that takes.
  const old = new LanePublisher(first, { ...limits, transactionMs: 600_000 });
  await old.write(await step(exportId, 0));
  const second = await claimLane(client, laneOf(exportId));
  assert.equal(second.entries.size, 0);
  await assert.rejects(old.flush(), isLaneInterrupted);
  const claim = await lastClaim(client, laneOf(exportId));
  assert.equal(claim?.nonce, second.nonce);
  assert.notEqual(claim.nonce, first.nonce);
  await old.close();
  await second.producer.close();
  assert.deepEqual(await ordinalsOf(exportId), []);
});
