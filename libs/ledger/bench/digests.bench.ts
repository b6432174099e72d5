/**
 * What a day's digests take to be written, loaded and held. From libs/ledger:
 * `node ../testing/src/run-with-stack.ts -- node --expose-gc bench/digests.bench.ts [conversations] [other days]`.
 * The partition holds so many other days of the same size as well (a lane has every twelfth day: two or three of thirty).
 * The targets: a day of 1,000,000 held in under 150 MiB and loaded in under 10 s. Load and memory are those of a fresh process.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createKafkaClient, type KafkaClient } from '@genesys-kafka/kafka';
import { topicSpecs } from '@genesys-kafka/topics';
import type { Turn } from '../src/digests/change-judge.ts';
import { LaneDigests } from '../src/digests/lane-digests.ts';
import { claimLane } from '../src/lane.ts';
import { LanePublisher } from '../src/publisher.ts';

const [count, otherDays, prefix] = [
  Number(process.argv[2] ?? 1_000_000),
  Number(process.argv[3] ?? 2),
  process.argv[4],
];
const STEP = 4000;
const MIB = 1024 * 1024;
const DAY = '2026-01-01';
const limits = { transactionBytes: 32 * MIB, transactionMs: 5000, bufferBytes: MIB, stepBytes: 6 * MIB };

/** Told apart by one bit in any place, and random as Genesys' ids are. */
function conversation(day: string, index: number): { readonly id: Buffer; readonly digest: Buffer } {
  const digest = createHash('sha256').update(`${day}/${index}`).digest();
  const hex = digest.toString('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return { id: Buffer.from(parts.join('-')), digest };
}

async function open(client: KafkaClient, topics: string) {
  const specs = topicSpecs({ prefix: topics });
  await client.admin.createMissing([specs.ledger, specs.digests]);
  const lane = await claimLane(client, {
    transactionalId: `${topics}bench`,
    ledger: { topic: specs.ledger.name, partition: 0 },
    digests: { topic: specs.digests.name, partition: 0 },
    keyPrefix: 'bench/',
  });
  const publisher = new LanePublisher(lane, limits);
  const tag = Buffer.alloc(16, 1);
  const format = { tag, deadLettersTag: tag, compression: 'zstd' as const };
  const digests = new LaneDigests({ client, lane, publisher, format, signal: new AbortController().signal });
  return { publisher, digests };
}

async function write(client: KafkaClient, topics: string): Promise<void> {
  const { publisher, digests } = await open(client, topics);
  const days = [
    DAY,
    ...Array.from({ length: otherDays }, (_, index) => `2026-02-${String(index + 1).padStart(2, '0')}`),
  ];
  const start = performance.now();
  for (const day of days) {
    using judge = digests.judge('contact-centre', day);
    for (let from = 0; from < count; from += STEP) {
      await judge.inTurn(async (turn: Turn) => {
        for (let index = from; index < Math.min(count, from + STEP); index += 1) {
          const { id, digest } = conversation(day, index);
          turn.judge(id, digest, { availableAtMs: Date.UTC(2026, 0, 2), submittedAtMs: Date.UTC(2026, 0, 2, 1) });
        }
        const taken = publisher.writeDigests(await turn.digests());
        turn.keep();
        await taken;
      });
    }
  }
  await publisher.flush();
  console.log(`written: ${days.length} days of ${count} in ${seconds(start)} s, ids and hashes made here included`);
  await publisher.close();
}

async function load(client: KafkaClient, topics: string): Promise<void> {
  const { publisher, digests } = await open(client, topics);
  globalThis.gc!();
  const before = process.memoryUsage();
  const cpu = process.cpuUsage();
  const start = performance.now();
  using judge = digests.judge('contact-centre', DAY);
  await judge.inTurn(async () => undefined);
  const took = seconds(start);
  const { user, system } = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS / 1024;
  globalThis.gc!();
  const after = process.memoryUsage();
  const held = (after.heapUsed + after.external - before.heapUsed - before.external) / MIB;
  console.log(
    `loaded: ${count} of ${count * (otherDays + 1)} in ${took} s, ${((user + system) / 1e6).toFixed(2)} s of CPU`,
  );
  console.log(
    `held: ${held.toFixed(1)} MiB; process ${(before.rss / MIB).toFixed(0)} MiB before, peak ${peak.toFixed(0)} MiB`,
  );
  const judging = performance.now();
  await judge.inTurn(async (turn) => {
    let unchanged = 0;
    for (let index = 0; index < STEP; index += 1) {
      const { id, digest } = conversation(DAY, index * Math.floor(count / STEP));
      if (turn.judge(id, digest, {}) === 'unchanged') unchanged += 1;
    }
    console.log(`${unchanged} of ${STEP} judged unchanged in ${seconds(judging)} s`);
  });
  await publisher.close();
}

function seconds(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(2);
}

const client = createKafkaClient({ clientId: 'digests-bench', brokers: process.env.KAFKA_BROKERS!.split(',') });
if (prefix === undefined) {
  const made = `bench-${Date.now()}.`;
  await write(client, made);
  const args = ['--expose-gc', import.meta.filename, String(count), String(otherDays), made];
  spawnSync(process.execPath, [...process.execArgv.filter((arg) => arg !== '--expose-gc'), ...args], {
    stdio: 'inherit',
  });
} else {
  await load(client, prefix);
}
await client.close();
