/**
 * Microseconds of our own a delivery costs on its way through batcher and gate, to a sink that answers at the next turn
 * of the event loop: `node bench/gate.bench.ts [records]`.
 */
import { systemClock } from '@genesys-kafka/resilience';
import { Batcher, SinkGate, type BatchLimits, type Delivery } from '../src/index.ts';

const total = Number(process.argv[2] ?? 200_000);
const delivered = { kind: 'delivered' } as const;
const delivery: Delivery = {
  route: 'bench',
  body: Buffer.alloc(10_000),
  key: 'key',
  idempotencyKey: 'job:1',
  recordVersion: 1n,
  contentType: 'application/json',
  headers: {},
};

async function run(batch: BatchLimits, concurrency: number): Promise<{ micros: number; requests: number }> {
  const clock = systemClock;
  const gate = new SinkGate({
    concurrency,
    breaker: { errors: 0.5, over: 20, cooldownMs: 30_000, maxWaitMs: 300_000 },
    clock,
  });
  let requests = 0;
  const sink = {
    batch,
    deliver: async (records: readonly Delivery[]) => {
      requests += 1;
      await new Promise<void>((resolve) => setImmediate(resolve));
      return records.map(() => delivered);
    },
    check: async () => undefined,
    close: async () => undefined,
  };
  const batcher = new Batcher({ sink, gate, lane: 'normal', clock, onAnswer: () => undefined });
  let left = total;
  const caller = async () => {
    const signals = { stopping: new AbortController().signal, signal: new AbortController().signal };
    while (left-- > 0) await batcher.deliver(delivery, signals);
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 500 }, caller));
  return { micros: ((performance.now() - startMs) * 1000) / total, requests };
}

for (const [name, batch, concurrency] of [
  ['one record a request, 16 at once', { records: 1, bytes: Infinity, ageMs: 0 }, 16],
  ['up to 5000 records, one at once', { records: 5000, bytes: 8 * 1024 * 1024, ageMs: 0 }, 1],
] as const) {
  let best = { micros: Infinity, requests: 0 };
  for (let round = 0; round < 5; round += 1) {
    const one = await run(batch, concurrency);
    if (one.micros < best.micros) best = one;
  }
  console.log(`${name}: ${best.micros.toFixed(2)} µs a record, ${best.requests} requests`);
}
