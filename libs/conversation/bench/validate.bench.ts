/**
 * Microseconds a record for each way to validate it and for their parts, next to the bare JSON.parse of the same bytes in
 * the same run. `node libs/conversation/bench/validate.bench.ts [rounds]`. The target: what nearly all records take,
 * "without parsing", within half of the bare parse.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { chain, chainStart, contentDigest } from '../src/digest.ts';
import { createRecordAcceptor } from '../src/accept/record-acceptor.ts';
import { conversationSchemaText } from '../src/conversation-schema.ts';
import { createThoroughValidator } from '../src/record-validator.ts';
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

/** Variations of the samples, cut to about 7.8 kB on average; three of five have text past ASCII. */
function record(index: number): Buffer {
  const copy = structuredClone(samples[index % samples.length]!);
  copy.conversationId = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
  if (copy.participants.length > 3) copy.participants.length = 3;
  const attributes = (copy.participants[0]!.attributes ??= {});
  for (let n = 0; n < 40 + (index % 30); n += 1) attributes[`attribute-${n}`] = `value ${index * n} of some length`;
  if (index % 5 < 3) attributes.Kunde = 'Zoë Müller – 東京';
  return Buffer.from(JSON.stringify(copy));
}

const records = Array.from({ length: 4000 }, (_, index) => record(index));
const members = records.map((bytes) => countColons(bytes.toString('utf8')));
const values = records.map((bytes) => JSON.parse(bytes.toString('utf8')) as object);
const meanBytes = records.reduce((sum, { length }) => sum + length, 0) / records.length;
const schema = JSON.parse(conversationSchemaText) as object;
const acceptor = createRecordAcceptor(schema);
const thorough = createThoroughValidator(schema);

const steps: Readonly<Record<string, (index: number) => unknown>> = {
  'JSON.parse (bare)': (index) => JSON.parse(records[index]!.toString('utf8')) as unknown,
  'isAscii and isUtf8': (index) => isAscii(records[index]!) && isUtf8(records[index]!),
  'count members': (index) => countMembers(values[index]!),
  'validate by parsing': (index) => {
    if (!thorough.validate(records[index]!, members[index]!).ok) throw new Error('A realistic record was refused.');
  },
  'validate without parsing': (index) => {
    if (acceptor.accept(records[index]!, members[index]!) === undefined) throw new Error('It was not accepted.');
  },
  'digest and chain': (index) => chain(chainStart(), contentDigest(records[index]!)),
};

/** The best of several rounds, in each of which every step has its turn: what happens beside hits all alike. */
const bestUs: Record<string, number> = {};
for (let round = 0; round < rounds; round += 1) {
  for (const [name, step] of Object.entries(steps)) {
    const startMs = performance.now();
    for (let index = 0; index < records.length; index += 1) step(index);
    bestUs[name] = Math.min(bestUs[name] ?? Infinity, ((performance.now() - startMs) * 1000) / records.length);
  }
}

const bare = bestUs['JSON.parse (bare)']!;
console.log(`${records.length} records of ${meanBytes.toFixed(0)} bytes, Node ${process.version}, best of ${rounds}`);
for (const [name, us] of Object.entries(bestUs)) {
  console.log(
    `${name.padEnd(26)} ${us.toFixed(1).padStart(6)} µs  ${(us / bare).toFixed(2)} × bare  ${(meanBytes / us).toFixed(0)} MB/s`,
  );
}
const ratio = bestUs['validate by parsing']! / bestUs['validate without parsing']!;
console.log(`without parsing: ${ratio.toFixed(1)} times as fast`);
