/**
 * Microseconds a record for each step of validating, next to the bare JSON.parse of the same bytes in the same run.
 * `node libs/conversation/bench/validate.bench.ts [rounds]`. The target: all of it within twice the bare parse.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { chain, chainStart, contentDigest } from '../src/digest.ts';
import { createRecordValidator } from '../src/index.ts';
import { countColons } from '../fixtures/count-colons.ts';
import { countMembers } from '../src/count-members.ts';

const rounds = Number(process.argv[2] ?? 5);
const samples = ['call-queue-transfer', 'email-open', 'message-webmessaging'].map(
  (name) => JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8')) as Conversation,
);
type Conversation = {
  conversationId: string;
  participants: { attributes?: Record<string, string>; sessions?: unknown[] }[];
};

/** Variations of the samples, cut to about 7.8 kB on average; every fifth has text past ASCII. */
function record(index: number): Buffer {
  const copy = structuredClone(samples[index % samples.length]!);
  copy.conversationId = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
  if (copy.participants.length > 3) copy.participants.length = 3;
  const attributes = (copy.participants[0]!.attributes ??= {});
  for (let n = 0; n < 40 + (index % 30); n += 1) attributes[`attribute-${n}`] = `value ${index * n} of some length`;
  if (index % 5 === 0) attributes.Kunde = 'Zoë Müller – 東京';
  return Buffer.from(JSON.stringify(copy));
}

const records = Array.from({ length: 4000 }, (_, index) => record(index));
const members = records.map((bytes) => countColons(bytes.toString('utf8')));
const values = records.map((bytes) => JSON.parse(bytes.toString('utf8')) as object);
const meanBytes = records.reduce((sum, { length }) => sum + length, 0) / records.length;
const validator = createRecordValidator();

/** The best of several rounds: what the machine can do when nothing else disturbs it. */
function measure(step: (index: number) => unknown): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now();
    for (let index = 0; index < records.length; index += 1) step(index);
    best = Math.min(best, performance.now() - startMs);
  }
  return (best * 1000) / records.length;
}

const bare = measure((index) => JSON.parse(records[index]!.toString('utf8')) as unknown);
const steps = {
  'JSON.parse of utf8 text (bare)': bare,
  'JSON.parse of latin1 text': measure((index) => JSON.parse(records[index]!.toString('latin1')) as unknown),
  'isAscii and isUtf8': measure((index) => isAscii(records[index]!) && isUtf8(records[index]!)),
  'count members': measure((index) => countMembers(values[index]!)),
  'validate, all of it': measure((index) => {
    if (!validator.validate(records[index]!, members[index]!).ok) throw new Error('A realistic record was refused.');
  }),
  'digest and chain': measure((index) => chain(chainStart(), contentDigest(records[index]!))),
};
console.log(`${records.length} records of ${meanBytes.toFixed(0)} bytes, Node ${process.version}, best of ${rounds}`);
for (const [name, us] of Object.entries(steps)) {
  console.log(
    `${name.padEnd(32)} ${us.toFixed(1).padStart(6)} µs  ${(us / bare).toFixed(2)} × bare  ${(meanBytes / us).toFixed(0)} MB/s`,
  );
}
