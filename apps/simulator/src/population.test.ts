import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { bench, DAY } from '../fixtures/client.ts';
import { population } from '../fixtures/population.ts';
import { unzip } from '../fixtures/unzip.ts';
import { openFileConversations } from './conversations/file-conversations.ts';
import { generateArchive } from './generate-archive.ts';
import { SimulatorOptionsError } from './options.ts';
import { startSimulator } from './simulator.ts';

async function scratch(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'population-'));
  context.after(() => rm(directory, { recursive: true }));
  return join(directory, 'conversations');
}

const record = (n: number, start: string, rest = '') =>
  `{"conversationId":"c-${n}","conversationStart":"2025-10-01T${start}:00.000Z"${rest}}`;
const ended = (hour: string) => `,"conversationEnd":"2025-10-01T${hour}:00.000Z"`;
const session = (mediaType: string) => `,"participants":[{"sessions":[{"mediaType":"${mediaType}"}]}]`;

// Neither in order of their start nor without what a double cannot hold.
const RECORDS = [
  record(0, '12:00', `${ended('13:00')}${session('voice')}`),
  record(1, '08:00', ',"serial":9007199254740993,"score":-0,"note":"\\u00e9\\ud83d"'),
  record(2, '10:00', `,"originatingDirection":"outbound"${ended('11:00')}${session('email')}`),
];
const IN_ORDER = [RECORDS[1], RECORDS[2], RECORDS[0]];
/** What JSON.stringify does to the spelling of texts. */
const spelled = (text: string | undefined) => text?.replace('\\u00e9', 'é');

test('the conversations of an array, an object and lines are found by their start, under both contracts', async (context) => {
  const file = await scratch(context);
  for (const content of [
    `[${RECORDS.join(',')}]`,
    `{"cursor":"x","conversations":[${RECORDS.join(', ')}],"totalHits":3}`,
    RECORDS.join('\n'),
    gzipSync(RECORDS.join('\n')),
  ]) {
    await writeFile(file, content);
    await using it = await bench({ population: file });
    const jobId = await it.finishedJob();
    const page = await (await it.get(`/api/v2/analytics/conversations/details/jobs/${jobId}/results`)).text();
    assert.ok(page.includes(IN_ORDER.map(spelled).join(',')), page);
    const { resultsUrl } = await it.archiveLink();
    const zip = await unzip(Buffer.from(await (await fetch(resultsUrl)).arrayBuffer()));
    assert.equal(zip.content.toString(), `[${IN_ORDER.map(spelled).join(',')}]`);
  }
});

test('intervals and filters hold for the conversations of a file', async (context) => {
  const file = await scratch(context);
  await writeFile(file, RECORDS.join('\n'));
  await using it = await bench({ population: file });
  const find = async (query: object) =>
    (await it.pages(await it.finishedJob({ interval: DAY, ...query }))).flatMap((page) =>
      page.conversations.map(({ conversationId }) => conversationId),
    );
  const filtered = (dimension: string, value?: string, operator = 'matches') =>
    find({ segmentFilters: [{ type: 'and', predicates: [{ dimension, value, operator }] }] });
  assert.deepEqual(await find({}), ['c-1', 'c-2', 'c-0']);
  assert.deepEqual(await find({ order: 'desc', limit: 2 }), ['c-0', 'c-2']);
  // The first is still open.
  assert.deepEqual(await find({ interval: '2025-10-01T10:30:00Z/2025-10-01T11:30:00Z' }), ['c-1', 'c-2']);
  assert.deepEqual(await filtered('mediaType', 'email'), ['c-2']);
  assert.deepEqual(await filtered('mediaType', undefined, 'notExists'), ['c-1']);
  assert.deepEqual(await filtered('originatingDirection', 'outbound'), ['c-2']);
  assert.deepEqual(await filtered('conversationId', 'c-0'), ['c-0']);
  assert.deepEqual(await filtered('conversationEnd', undefined, 'notExists'), ['c-1']);
});

test('a changed object has other bytes and the same records in number', async (context) => {
  const file = await scratch(context);
  await writeFile(file, RECORDS.join('\n'));
  await using it = await bench({ population: file });
  const { resultsUrl } = await it.archiveLink();
  const get = async () => (await unzip(Buffer.from(await (await fetch(resultsUrl)).arrayBuffer()))).content.toString();
  const before = await get();
  it.simulator.faults.add([{ on: 'file', do: { kind: 'changed-object', what: 'content' } }]);
  const after = await get();
  assert.notEqual(after, before);
  assert.equal((JSON.parse(after) as unknown[]).length, 3);
});

test('what the stand-in wrote to a file, it serves again, record for record', async (context) => {
  const file = `${await scratch(context)}.json.gz`;
  await generateArchive(file, { seed: 7, records: 500 });
  const [generated, read] = [population({ records: 500 }), await openFileConversations(file)];
  context.after(() => read.close());
  assert.equal(read.records, 500);
  for (let index = 0; index < 500; index += 1) {
    const { startMs, endMs } = generated.lifetime(index);
    assert.deepEqual(read.lifetime(index), { startMs, endMs });
    assert.equal(read.id(index), generated.id(index));
    assert.deepEqual(new Set(read.mediaTypes(index)), new Set(generated.mediaTypes(index)));
    assert.deepEqual(JSON.parse(read.text(index)), JSON.parse(generated.text(index)));
  }
});

test('what is kept is the index, whatever the size of the file', async (context) => {
  const file = await scratch(context);
  const note = 'x'.repeat(100_000);
  const pieces = function* () {
    for (let n = 0; n < 900; n += 1) yield `${record(n, '08:00', `,"note":"${note}"`)}\n`;
  };
  await pipeline(Readable.from(pieces()), createWriteStream(file));
  const before = keptBytes();
  const conversations = await openFileConversations(file);
  const grown = keptBytes() - before;
  context.after(() => conversations.close());
  assert.equal(conversations.text(899).length, record(899, '08:00', `,"note":"${note}"`).length);
  assert.ok(grown < 10_000_000, `${grown} bytes for a file of 90 MB`);
});

/** Bytes in use once what nobody holds is collected: how much of that lies about goes by how busy the machine is. */
function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('a file that cannot be used is refused with the record', async (context) => {
  const file = await scratch(context);
  for (const [content, message] of [
    ['', /population: .*: there are no conversations in it\./],
    [
      '[{"conversationStart":"2025-10-01T00:00:00Z"},{"conversationStart":"yesterday"}]',
      /of record 1 is not an instant/,
    ],
    ['[{"conversationStart":"2025-10-01T00:00:00Z","conversationEnd":7}]', /conversationEnd of record 0 is not/],
    ['[null]', /conversationStart of record 0/],
    ['{"conversationStart":"2025-10-01T00:00:00Z"}\n{', /in record 1: line 2, column 2/],
  ] as const) {
    await writeFile(file, content);
    await assert.rejects(startSimulator({ population: file, living: false }), message);
  }
  await assert.rejects(startSimulator({ population: `${file}.no` }), SimulatorOptionsError);
  await assert.rejects(
    startSimulator({ population: file, records: 5, invalid: 0.1 }),
    /records: is not for the conversations of a file; leave it out\n {2}invalid: /,
  );
});
