/**
 * `npm run bench -- [--records N] [--large]`: an archive of the stand-in's conversations through `producer publish`
 * and through the textbook pipeline, in turn, onto one broker. Ratios of one run are what counts: machines differ.
 * `--large` publishes one of ten times the size as well, for the memory.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKafkaClient } from '@genesys-kafka/kafka';
import { measure, startScript, startStack, uniquePrefix, type Measured } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { writeArchive } from '../fixtures/processes.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    large: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1' },
  },
});
const records = Number(values.records);
const textbook = join(import.meta.dirname, 'textbook.ts');

const dir = await mkdtemp(join(tmpdir(), 'bench-'));
await using stack = await startStack();
const client = createKafkaClient({ clientId: 'bench', brokers: stack.brokers });
const base = { KAFKA_BROKERS: stack.brokers.join(','), SCHEMA_REGISTRY_URL: stack.registryUrl, SPOOL_DIR: dir };
try {
  const archive = join(dir, 'archive.zip');
  await writeArchive(archive, ['--records', String(records)]);
  console.log(`${records} records, ${Math.round((await stat(archive)).size / 1e6)} MB of ZIP`);
  // A broker that has just started compiles itself on the same cores: this run is nobody's.
  await publish(archive, records, 'warm-up');
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const ours = await publish(archive, records);
    const args = [textbook, archive, `${uniquePrefix()}textbook`];
    const usual = await measure((options) => spawn(process.execPath, args, options), base);
    tell('textbook', usual);
    console.log(`ratio: ${(usual.seconds / ours.seconds).toFixed(2)} times as fast as the textbook pipeline`);
  }
  if (values.large) {
    const large = join(dir, 'large.zip');
    await writeArchive(large, ['--records', String(records * 10), '--compression-level', '1']);
    await publish(large, records * 10);
  }
} finally {
  await client.close();
  await rm(dir, { recursive: true, force: true });
}

async function publish(archive: string, expected: number, name = `publish ${expected}`): Promise<Measured> {
  const prefix = uniquePrefix();
  const env = { ...base, KAFKA_TOPIC_PREFIX: prefix };
  const measured = await measure((options) => startScript('producer', ['publish', archive, '--json'], options), env, {
    watchEventLoop: true,
  });
  const report = JSON.parse(measured.stdout) as { records: { published: number }; bytes: number };
  if (report.records.published !== expected) throw new Error(`published ${report.records.published} of ${expected}`);
  tell(name, measured, report.bytes);
  // A broker's page cache is the same for everyone: the data is not kept for the next one.
  const offsets = await client.admin.offsets(topicSpecs({ prefix }).data.name);
  const onTopic = offsets.reduce((sum, { first, end }) => sum + (end - first), 0n);
  if (onTopic < BigInt(expected)) throw new Error(`only ${onTopic} offsets on the topic`);
  return measured;
}

function tell(name: string, { seconds, peakBytes, delayP99Ms }: Measured, bytes?: number): void {
  const rate = bytes === undefined ? '' : `, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
  const delay = delayP99Ms === undefined ? '' : `, event-loop delay p99 ${delayP99Ms.toFixed(1)} ms`;
  console.log(`${name.padEnd(16)} ${seconds.toFixed(1)} s${rate}, peak ${Math.round(peakBytes / 2 ** 20)} MiB${delay}`);
}
