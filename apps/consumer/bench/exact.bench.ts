/**
 * `npm run bench:exact -- [--records N] [--rounds N]` (with Go on the path): records of 2 kB on a topic through
 * `consumer run --drain` into a bucket of a real S3 server, and to another topic. Everything is on this machine, servers
 * too. Seconds are the program's own, joining the group and waiting for the end included.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, startScript, startStorage } from '@genesys-kafka/testing';
import { Bucket } from '../fixtures/bucket.ts';
import { startBus } from '../fixtures/bus.ts';

const RECORD_BYTES = 2000;
const KEYS = 5000;
const BATCH = 2000;

const { values } = parseArgs({
  options: { records: { type: 'string', default: '400000' }, rounds: { type: 'string', default: '2' } },
});
const records = Number(values.records);
const dir = await mkdtemp(join(tmpdir(), 'bench-'));
await using bus = await startBus();
await using area = await bus.area();
await using storage = await startStorage();
const bytes = await publish();
let run = 0;
try {
  for (let round = 0; round < Number(values.rounds); round += 1) {
    using bucket = await Bucket.create(storage);
    await through('s3', bucket.sink({ prefix: '{yyyy}/{MM}/{dd}/' }));
    const topic = `${area.prefix}copy-${round}`;
    await area.client.admin.createMissing([{ name: topic, partitions: 6, config: {} }]);
    await through('kafka', { type: 'kafka', topic });
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** Shaped like conversations: names repeat, values do not. Resolves with the bytes of all records. */
async function publish(): Promise<number> {
  let sum = 0;
  for (let from = 0; from < records; from += BATCH) {
    const count = Math.min(BATCH, records - from);
    const batch = Array.from({ length: count }, (_, at) => {
      const segments = Array.from({ length: RECORD_BYTES / 100 }, () => ({
        segmentType: 'interact',
        segmentStart: new Date(1.7e12 + Math.floor(Math.random() * 1e9)).toISOString(),
        queueId: Math.random().toString(36).slice(2, 14),
      }));
      return { conversationId: `c-${(from + at) % KEYS}`, n: Math.floor((from + at) / KEYS), segments };
    });
    sum += batch.reduce((total, record) => total + JSON.stringify(record).length, 0);
    await area.publish(batch, `job-${from}`);
  }
  return sum;
}

/** A new group each time, from the topic's start to its end. */
async function through(name: string, sink: object): Promise<void> {
  const file = join(dir, `config-${(run += 1)}.yaml`);
  const settings = { connector: `bench-${run}`, routes: [{ name: 'all', sink: 'out' }], sinks: { out: sink } };
  await writeFile(file, area.config(settings));
  const args = ['--config', file, '--json', 'run', '--drain'];
  const { stdout, cpuSeconds, peakBytes } = await measure((options) => startScript('consumer', args, options), {});
  const { routes, seconds } = JSON.parse(stdout) as { routes: { all: { delivered: number } }; seconds: number };
  if (routes.all.delivered !== records) throw new Error(`${routes.all.delivered} of ${records}`);
  console.log(
    `${name.padEnd(6)} ${(bytes / seconds / 1e6).toFixed(1)} MB/s, ${Math.round(records / seconds)} records/s ` +
      `(${seconds.toFixed(1)} s), CPU ${cpuSeconds.toFixed(1)} s, peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
  );
}
