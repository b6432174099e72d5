/**
 * Scanner, JSON.parse and stream-json over the same document in one run: `node bench/scan.bench.ts [MB]`.
 * Ratios are what to look at; the absolute figures are this machine's.
 */
import { conversations, pieces, piecesLater } from '../fixtures/documents.ts';
import { streamJsonRecords } from '../fixtures/stream-json-records.ts';
import { RecordScanner } from '../src/index.ts';

const megabytes = Number(process.argv[2] ?? 64);
const records = conversations(megabytes * 1e6);
const document = Buffer.from(`[${records.join(',')}]`);
const LIMITS = { maxRecordBytes: 4 * 1024 * 1024, maxDepth: 256 };

interface Figure {
  readonly name: string;
  readonly seconds: number;
  readonly records: number;
}

async function measure(name: string, rounds: number, run: () => number | Promise<number>): Promise<Figure> {
  let best: Figure = { name, seconds: Infinity, records: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now();
    const count = await run();
    const seconds = (performance.now() - startMs) / 1000;
    if (seconds < best.seconds) best = { name, seconds, records: count };
  }
  return best;
}

function scan(chunks: readonly Buffer[], parse: boolean): number {
  const scanner = new RecordScanner(LIMITS);
  let count = 0;
  for (const chunk of chunks) {
    for (const record of scanner.push(chunk)) {
      if (parse && record.bytes) JSON.parse(record.bytes.toString());
      count += 1;
    }
  }
  return count + scanner.end().length;
}

const figures: Figure[] = [];
for (const kibibytes of [64, 256]) {
  const chunks = [...pieces(document, kibibytes * 1024)];
  figures.push(await measure(`scan, ${kibibytes} KiB chunks`, 5, () => scan(chunks, false)));
}
const chunks = [...pieces(document, 256 * 1024)];
figures.push(await measure('scan + JSON.parse of each record', 3, () => scan(chunks, true)));
const parse = await measure('JSON.parse of the whole', 3, () => (JSON.parse(document.toString()) as unknown[]).length);
figures.push(parse);
figures.push(
  await measure('stream-json', 1, async () => {
    let count = 0;
    for await (const batch of streamJsonRecords(piecesLater(document, 64 * 1024))) count += batch.length;
    return count;
  }),
);

console.log(`${(document.length / 1e6).toFixed(0)} MB, ${records.length} records`);
for (const { name, seconds, records: count } of figures) {
  const speed = (document.length / 1e6 / seconds).toFixed(0).padStart(6);
  const ratio = (parse.seconds / seconds).toFixed(2).padStart(6);
  console.log(
    `${name.padEnd(34)} ${speed} MB/s  ${ratio} × JSON.parse${count === records.length ? '' : '  WRONG COUNT'}`,
  );
}
