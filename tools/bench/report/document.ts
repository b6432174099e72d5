import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Line } from './figures.ts';
import { scalePage } from '../../src/scale/page.ts';
import { PROFILE_HEAD, profileCells, type ThreadTime } from './profile.ts';
import type { MissingPeer } from '../peers/peers.ts';
import { GOAL_HEAD, goalCells } from './goals.ts';
import { plot } from './plot.ts';
import { PRODUCT_NAMES } from '../product.ts';
import { cells, HEAD, markdownTable, notes } from './table.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const megabytes = (bytes: number) => Math.round(bytes / 1e6).toLocaleString('en-US');

export interface Results {
  readonly command: string;
  /** Day of the run, `2026-01-31`. */
  readonly date: string;
  readonly machine: string;
  readonly records: number;
  readonly jsonBytes: number;
  readonly archiveBytes: number;
  readonly rounds: number;
  readonly lines: readonly Line[];
  /** Where `publish` spends its time; empty where that was not asked for. */
  readonly threads: readonly ThreadTime[];
  readonly missing: readonly MissingPeer[];
}

/** Writes `docs/benchmarks.md`, its plot and its figures, and `docs/scale.md`, which is worked out from them. */
export async function writeDocument(results: Results): Promise<void> {
  const isProduct = (name: string) => PRODUCT_NAMES.some((known) => known === name);
  const plotted = results.lines.filter(({ name }) => !name.includes(' '));
  const count = results.records.toLocaleString('en-US');
  const title = `${count} conversations (${megabytes(results.jsonBytes)} MB of JSON) onto a topic`;
  await writeFile(join(DOCS, 'benchmarks.svg'), plot(title, plotted, isProduct));
  await writeFile(join(DOCS, 'benchmarks.json'), `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(join(DOCS, 'benchmarks.md'), markdown(results));
  await writeFile(join(DOCS, 'scale.md'), await scalePage());
}

export function sizeOf({
  records,
  jsonBytes,
  archiveBytes,
}: Pick<Results, 'records' | 'jsonBytes' | 'archiveBytes'>): string {
  const count = records.toLocaleString('en-US');
  return `${count} conversations, ${megabytes(jsonBytes)} MB of JSON in a ZIP of ${megabytes(archiveBytes)} MB`;
}

function whereTimeGoes(threads: readonly ThreadTime[]): string {
  const tables = threads.map((one) => `${one.thread}:\n\n${markdownTable(PROFILE_HEAD, profileCells(one))}\n`);
  return `
## Where the time of \`publish\` goes

One more run under V8's profiler, which takes time of its own. Seconds in which a thread was busy, charged to the room or package of the innermost function.

${tables.join('\n')}
- Staging comes before sending: nothing of an archive may be published before all of it has proved itself whole (length, directory, CRC-32). So the threads work one after the other at the end, and the wall time is staging plus sending.
- Staging is bound by its thread. \`conversation/accept\` walks each byte of each record once to hold it against the schema, which none of the peers does; SHA-256 over each record is its identity for skipping and for change-only publishing; zstd is what the brokers and their disks are spared. On more cores there are more such threads (\`staging.threads\`).
- The main thread inflates, finds where records end and checks CRC-32: work that \`java-bytes\` does as well. Loading modules and connecting are the start, some 0.6 s, whatever the archive's size.
- An export is behind \`publish\` by what comes before its link or first page: a login, the submit of a job and the polls until it is done, most of a second whatever the size.
- \`export-details-jobs\` sends each page of 100 records as a step of its own, so that a page can be resumed: batches of a seventh of the size, which cost client and broker more (their CPU is above). With the stand-in's they fill both cores.
- With a broker 10 ms away a transaction's begin, its offsets and its commit are answers to be waited for, whatever is under way of its records.
`;
}

function markdown(results: Results): string {
  const told = notes(results.lines, results.missing);
  return `<!-- Written by \`${results.command}\`: run it again instead of changing this. -->

# Benchmarks

${sizeOf(results)}; ${results.rounds} rounds in which every line runs once, in changing order, onto topics of its own of one broker on the same machine. Medians; in brackets the least and the most of the wall times. Seconds are of whole processes, start included. Each run was read back: all records there once, under the right keys, with the right bytes.

Measured on ${results.date} with \`${results.command}\` on ${results.machine}.

![Wall and CPU seconds of every line](benchmarks.svg)

${markdownTable(HEAD, cells(results.lines, results.missing))}

${told.map((line) => `- ${line}\n`).join('')}
Ratios travel, seconds do not. The figures, with their spread: [benchmarks.json](benchmarks.json). The consumer has [its own](benchmarks-consumer.md).

## Held against its goals

${markdownTable(GOAL_HEAD, goalCells(results.lines))}
${results.threads.length === 0 ? '' : whereTimeGoes(results.threads)}

## The lines

- \`publish\`: \`producer publish ARCHIVE\` with compression zstd, as it is by default; \`publish-gzip\` and \`publish-none\` with the others. Validated against the schema, in transactions, with the position in the ledger.
- \`publish-http\`: the same from an \`http:\` link, the download included.
- \`export-details-jobs\`, \`export-bulk-archive\`: \`producer export\` of the same conversations from the stand-in, which shares the cores and serves pages or archive meanwhile, as noted above, from texts that it has on disk.
- \`java-bytes\`: the least that can be done in Java. Records are cut out by counting brackets, keys found by searching bytes, and sent with Kafka's own client.
- \`java-jackson-stream\`: records and keys by Jackson's tokens, and the records' own bytes sent. \`java-jackson-tree\`: each record read into a tree and written again.
- \`python\`: what a guide would tell to take: ijson (its C backend), orjson, confluent-kafka. The last column is against this line.
- \`node-textbook\`: yauzl, stream-json, kafkajs.

The peers are in \`tools/bench/peers\`. All are idempotent producers with acks=all and zstd, those in Java and Python with batches of 1 MB and a linger of 50 ms. They validate nothing, keep no position, and publish twice what is started twice. \`java-jackson-tree\`, \`python\` and \`node-textbook\` write records anew: of these the count, the keys and the sum of bytes within 2 % are checked, and what one record in 64 says; of the others every byte. \`python\` puts a question mark where half a surrogate pair stands, as in a text that was cut off: ijson’s C backend does.
`;
}
