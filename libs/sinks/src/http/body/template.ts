import type { Delivery } from '@genesys-kafka/delivery';

/** What may stand in an `item`, between `{{` and `}}`; each gives a value of JSON. */
const OF_A_RECORD = {
  idempotencyKey: (delivery: Delivery) => JSON.stringify(delivery.idempotencyKey),
  recordVersion: (delivery: Delivery) => String(delivery.recordVersion),
  key: (delivery: Delivery) => JSON.stringify(delivery.key),
  route: (delivery: Delivery) => JSON.stringify(delivery.route),
} as const;

type ValueName = keyof typeof OF_A_RECORD;
/** The record's own bytes, a value that is written out, or text as it stands. */
type Part = { readonly record: true } | { readonly value: ValueName } | { readonly text: string };

const SLOT = /\{\{\s*(\w*)\s*\}\}/;

/** What comes before and after something, of a text in which `{{name}}` stands once. Throws `fail` of what is wrong. */
export function around(text: string, name: string, fail: (problem: string) => Error): readonly [string, string] {
  const [before, slot, after, ...more] = text.split(SLOT);
  if (slot !== name || more.length > 0) throw fail(`must hold {{${name}}} once, and nothing else in double braces`);
  return [before!, after!];
}

/** How one record stands in a body. */
export class ItemTemplate {
  readonly #parts: readonly Part[];

  /** Throws what `fail` makes of a problem. */
  constructor(text: string, fail: (problem: string) => Error) {
    this.#parts = text.split(SLOT).flatMap((piece, index): Part[] => {
      if (index % 2 === 0) return piece === '' ? [] : [{ text: piece }];
      if (piece === 'record') return [{ record: true }];
      if (Object.hasOwn(OF_A_RECORD, piece)) return [{ value: piece as ValueName }];
      const known = ['record', ...Object.keys(OF_A_RECORD)].map((name) => `{{${name}}}`).join(', ');
      throw fail(`has {{${piece}}}; known are ${known}`);
    });
    if (this.#parts.filter((part) => 'record' in part).length !== 1) throw fail('must hold {{record}} once');
  }

  /** The pieces that one record's item is made of; the record's own bytes as they are. */
  piecesOf(delivery: Delivery): (string | Buffer)[] {
    const pieces: (string | Buffer)[] = [];
    let text = '';
    for (const part of this.#parts) {
      if ('text' in part) text += part.text;
      else if ('value' in part) text += OF_A_RECORD[part.value](delivery);
      else {
        pieces.push(text, delivery.body);
        text = '';
      }
    }
    if (text !== '') pieces.push(text);
    return pieces;
  }
}
