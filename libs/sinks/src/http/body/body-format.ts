import type { Delivery } from '@genesys-kafka/delivery';
import { sinkOptionInvalid } from '../../errors.ts';
import { breaksToSpaces } from '../../ndjson-lines.ts';
import { around, ItemTemplate } from './template.ts';

export interface BodyOptions {
  /** Without it, `record`; or `array` where a batch holds several. */
  readonly format?: 'record' | 'array' | 'ndjson' | undefined;
  /** How a record stands among the others. */
  readonly item?: string | undefined;
  /** What stands around the array. */
  readonly envelope?: string | undefined;
  readonly contentType?: string | undefined;
}

/** A body for the records of one request. */
export interface BodyFormat {
  readonly contentType: string;
  bodyOf(batch: readonly Delivery[]): Buffer;
}

/** Each record's key and version must reach the target, whose business it is to tell what comes twice. */
const ITEM = '{"idempotencyKey":{{idempotencyKey}},"recordVersion":{{recordVersion}},"record":{{record}}}';

const SAMPLE: Delivery = {
  route: 'r',
  body: Buffer.from('{"a":\n1}'),
  key: 'k',
  idempotencyKey: 'job:1',
  recordVersion: 1n,
  contentType: 'application/json',
  headers: {},
};

/**
 * The format of a body that holds several records, or undefined for the record's own bytes alone. Throws
 * `sink-option-invalid` for templates that would not give JSON.
 */
export function bodyFormat(sink: string, records: number, options: BodyOptions): BodyFormat | undefined {
  const { format = records === 1 ? 'record' : 'array', item, envelope, contentType } = options;
  const fail = (option: string) => (problem: string) => sinkOptionInvalid(sink, `body.${option}`, problem);
  if (format === 'record') {
    if (records > 1) throw fail('format')('is record, which holds one, and batch.records is more');
    for (const [option, value] of Object.entries({ item, envelope, contentType }))
      if (value !== undefined)
        throw fail(option)('is for several records in a request; choose body.format array or ndjson');
    return undefined;
  }
  if (format === 'ndjson' && envelope !== undefined) throw fail('envelope')('is for body.format array');
  const template = new ItemTemplate(item ?? ITEM, fail('item'));
  const isLines = format === 'ndjson';
  const [before, after] = isLines ? ['', ''] : around(envelope ?? '{{items}}', 'items', fail('envelope'));
  const frame = isLines
    ? { before, between: '', each: '\n', after, isLines }
    : { before: `${before}[`, between: ',', each: '', after: `]${after}`, isLines };
  const made: BodyFormat = {
    contentType: contentType ?? (isLines ? 'application/x-ndjson' : 'application/json'),
    bodyOf: (batch) => fill(frame, template, batch),
  };
  const sample = made.bodyOf([SAMPLE, SAMPLE]).toString();
  for (const text of isLines ? sample.trimEnd().split('\n') : [sample])
    if (!isJson(text)) throw fail(envelope === undefined ? 'item' : 'envelope')('gives no JSON around a record');
  return made;
}

interface Frame {
  readonly before: string;
  readonly between: string;
  /** Ends each item. */
  readonly each: string;
  readonly after: string;
  readonly isLines: boolean;
}

function fill(
  { before, between, each, after, isLines }: Frame,
  item: ItemTemplate,
  batch: readonly Delivery[],
): Buffer {
  const pieces: (string | Buffer)[] = [before];
  batch.forEach((delivery, index) => {
    if (index > 0 && between !== '') pieces.push(between);
    pieces.push(...item.piecesOf(delivery));
    if (each !== '') pieces.push(each);
  });
  pieces.push(after);
  const body = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0));
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') at += body.write(piece, at);
    else {
      piece.copy(body, at);
      if (isLines) breaksToSpaces(body.subarray(at, at + piece.length));
      at += piece.length;
    }
  }
  return body;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
