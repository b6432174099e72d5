/**
 * `npm run bench:deliver -- [--records N] [--rounds N] [--only http|bare|slow|batched|file|down]`: records of 2 kB on a topic through `consumer run --drain` to a
 * target that answers at once, to one that takes 20 ms, to one that takes lines of many records and to a file, and through
 * a bare loop of the same client and undici, in turn; and beside a route whose target is down. Ratios of one run are what
 * counts: machines differ.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { measure, startScript, type Measured } from '@genesys-kafka/testing';
import { startBus } from '../fixtures/bus.ts';
import type { Seen } from './target.ts';

const RECORD_BYTES = 2000;
const KEYS = 5000;
const BATCH = 2000;
const CONCURRENCY = 64;
const SLOW_MS = 20;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const records = Number(values.records);
const here = import.meta.dirname;
const dir = await mkdtemp(join(tmpdir(), 'bench-'));
await using bus = await startBus();
await using area = await bus.area();
await publish();
let run = 0;
try {
  await toHttp(); // The warm-up is nobody's.
  for (let round = 0; round < Number(values.rounds); round += 1) {
    if (isAsked('http')) {
      const http = await toHttp();
      tell('http', http.seen.seconds, http.measured);
      if (isAsked('bare')) {
        const bare = await throughBareLoop();
        tell('bare loop', bare.seen.seconds, bare.measured);
        console.log(`ratio: ${(bare.seen.seconds / http.seen.seconds).toFixed(2)} of the bare loop`);
      }
    }
    if (isAsked('slow')) {
      const slow = await toHttp(SLOW_MS);
      tell('slow http', slow.seen.seconds, slow.measured);
      const bound = (records * SLOW_MS) / 1000 / CONCURRENCY;
      const ofBound = (seconds: number) => (bound / seconds).toFixed(2);
      console.log(`ratio: ${ofBound(slow.seen.seconds)} of ${CONCURRENCY} requests at a time, ${SLOW_MS} ms each`);
      if (isAsked('bare')) {
        const bare = await throughBareLoop(SLOW_MS);
        console.log(`ratio: ${ofBound(bare.seen.seconds)} of that by the bare loop`);
      }
    }
    if (isAsked('batched')) {
      const batched = await inBatches();
      tell('batched', batched.seen.seconds, batched.measured);
      console.log(`records a request: ${(records / batched.seen.requests).toFixed(0)}`);
    }
    if (isAsked('file')) {
      const file = await toFile();
      tell('file', file.seconds, file.measured);
    }
    if (isAsked('down')) {
      const [alone, beside] = [await besideADeadTarget(false), await besideADeadTarget(true)];
      console.log(`a route beside one whose target is down: ${(beside / alone).toFixed(2)} of its time without`);
    }
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** Words of random digits: about as compressible as conversations are. */
async function publish(): Promise<void> {
  for (let from = 0; from < records; from += BATCH) {
    const count = Math.min(BATCH, records - from);
    const batch = Array.from({ length: count }, (_, at) => {
      const n = Math.floor((from + at) / KEYS);
      const text = Array.from(
        { length: RECORD_BYTES / 20 },
        () => `segment ${Math.random().toString(36).slice(2, 12)}`,
      );
      return { conversationId: `c-${(from + at) % KEYS}`, n, text: text.join(' ') };
    });
    await area.publish(batch, `job-${from}`);
  }
}

async function toHttp(afterMs = 0) {
  return withTarget(async (url) => consume({ type: 'http', url, concurrency: CONCURRENCY }), afterMs);
}

function isAsked(name: string): boolean {
  return values.only === '' || values.only.split(',').includes(name);
}

/** Lines of many records, each with its key and version: as much as the default bounds of a partition give. */
async function inBatches() {
  const batch = { records: 500, bytes: '1MiB' };
  return withTarget(async (url) =>
    consume({ type: 'http', url: url.replace('/in', '/lines'), concurrency: 4, batch, body: { format: 'ndjson' } }),
  );
}

async function throughBareLoop(afterMs = 0) {
  const deliver = async (url: string) =>
    measure((options) => spawn(process.execPath, [join(here, 'bare.ts'), area.main, url, String(records)], options), {
      KAFKA_BROKERS: bus.stack.brokers.join(','),
    });
  return withTarget(deliver, afterMs);
}

/** The seconds of a route to a target that answers at once, with and without a second one whose target nobody reaches. */
async function besideADeadTarget(isThere: boolean): Promise<number> {
  const { seen } = await withTarget(async (url, untilAll) => {
    const out = { type: 'http', url, concurrency: CONCURRENCY };
    const dead = { type: 'http', url: 'http://127.0.0.1:1/', concurrency: CONCURRENCY };
    const routes = [{ name: 'all', sink: 'out' }, ...(isThere ? [{ name: 'dead', sink: 'dead' }] : [])];
    const file = await configuration({ routes, sinks: { out, ...(isThere ? { dead } : {}) } });
    // It never ends by itself: what the dead route holds is not lost.
    const start: Parameters<typeof measure>[0] = (options) => {
      const consumer = startScript('consumer', ['--config', file, '--json', 'run'], options);
      void untilAll.then(() => consumer.kill('SIGTERM'));
      return consumer;
    };
    return measure(start, {});
  });
  return seen.seconds;
}

/** From the file's making to its last write. */
async function toFile(): Promise<{ seconds: number; measured: Measured }> {
  const path = join(dir, `out-${(run += 1)}.ndjson`);
  const measured = await consume({ type: 'file', path });
  let lines = 0;
  const reader = createInterface({ input: createReadStream(path) });
  reader.on('line', () => (lines += 1));
  await once(reader, 'close');
  if (lines !== records) throw new Error(`${lines} lines for ${records} records`);
  const { birthtimeMs, mtimeMs } = await stat(path);
  await rm(path);
  return { seconds: (mtimeMs - birthtimeMs) / 1000, measured };
}

/** A new group each time, from the topic's start to its end. */
async function consume(sink: object): Promise<Measured> {
  const file = await configuration({ routes: [{ name: 'all', sink: 'out' }], sinks: { out: sink } });
  const args = ['--config', file, '--json', 'run', '--drain'];
  return measure((options) => startScript('consumer', args, options), {});
}

async function configuration(more: object): Promise<string> {
  const file = join(dir, `config-${(run += 1)}.yaml`);
  await writeFile(file, area.config({ connector: `bench-${run}`, ...more }));
  return file;
}

async function withTarget(
  deliver: (url: string, untilAll: Promise<unknown>) => Promise<Measured>,
  afterMs = 0,
): Promise<{ seen: Seen; measured: Measured }> {
  const target = fork(join(here, 'target.ts'), [String(afterMs), String(records)]);
  const [{ url }] = (await once(target, 'message')) as [{ url: string }];
  const measured = await deliver(url, once(target, 'message'));
  target.send('end');
  const [seen] = (await once(target, 'message')) as [Seen];
  if (seen.records !== records || seen.distinct !== records) throw new Error(`${JSON.stringify(seen)} of ${records}`);
  return { seen, measured };
}

function tell(name: string, seconds: number, { peakBytes, cpuSeconds }: Measured): void {
  const rate = Math.round(records / seconds);
  console.log(
    `${name.padEnd(10)} ${rate} records/s (${seconds.toFixed(1)} s), CPU ${cpuSeconds.toFixed(1)} s, ` +
      `peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
  );
}
