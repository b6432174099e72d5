import { Assembler } from 'stream-json/assembler.js';
import type { Token } from 'stream-json/parser.js';
import { ValuesError } from './errors.ts';

export interface ReadValue {
  /** Position among the values, from 0. */
  readonly ordinal: number;
  readonly value: unknown;
}

type Place =
  /** Before the first token. */
  | 'start'
  /** Between or inside the elements of a top-level array, or of an object's `conversations`. */
  | 'array'
  | 'conversations'
  /** In the file's first object, which is a value unless `conversations` turns up; or in the members behind that. */
  | 'first-object'
  | 'other-members'
  /** Among values that stand one after the other. */
  | 'values'
  | 'end';

/**
 * Puts tokens together to values and knows which of a file's values are meant: the elements of a top-level array, those
 * of the array `conversations` of a top-level object, or the top-level values themselves. Holds one value at a time.
 */
export class TopLevel {
  /** How many values are complete. */
  ordinal = 0;
  readonly #maxDepth: number;
  readonly #exactNumbers: boolean;
  #place: Place = 'start';
  #value: Assembler;

  constructor(maxDepth: number, exactNumbers: boolean) {
    this.#maxDepth = maxDepth;
    this.#exactNumbers = exactNumbers;
    this.#value = this.#begin();
  }

  /** The value that this token completes. Throws ValuesError where the token cannot belong to such a file. */
  take(token: Token): ReadValue | undefined {
    if (this.#isFrame(token)) return undefined;
    const value = this.#value.consume(token);
    if (value.depth > this.#maxDepth) throw ValuesError.broken(this.ordinal, `nested deeper than ${this.#maxDepth}`);
    if (!value.done) return undefined;
    if (this.#place === 'other-members') {
      this.#place = 'end';
      return undefined;
    }
    if (this.#place === 'first-object') this.#place = 'values';
    return { ordinal: this.ordinal++, value: value.current };
  }

  /** Whether the token belongs to what stands around the values. */
  #isFrame(token: Token): boolean {
    const { done, depth, key } = this.#value;
    switch (this.#place) {
      case 'start':
        this.#place = token.name === 'startArray' ? 'array' : token.name === 'startObject' ? 'first-object' : 'values';
        return token.name === 'startArray';
      case 'array':
        if (!done || token.name !== 'endArray') return false;
        this.#place = 'end';
        return true;
      case 'first-object':
        if (token.name !== 'startArray' || depth !== 1 || key !== 'conversations') return false;
        this.#value = this.#begin();
        this.#place = 'conversations';
        return true;
      case 'conversations':
        if (!done || token.name !== 'endArray') return false;
        this.#value = this.#begin().consume({ name: 'startObject' });
        this.#place = 'other-members';
        return true;
      case 'other-members':
        if (token.name !== 'keyValue' || depth !== 1 || token.value !== 'conversations') return false;
        throw ValuesError.broken(this.ordinal, 'the member "conversations" appears twice');
      case 'values':
        return false;
      case 'end':
        throw ValuesError.broken(this.ordinal, 'more text follows the end of the document');
    }
  }

  #begin(): Assembler {
    const assembler = new Assembler();
    if (this.#exactNumbers) assembler.numberValue = (text) => assembler.stringValue(exactNumber(text) as string);
    return assembler;
  }
}

/** A number, or where a double would be spelled otherwise its own text, which `JSON.stringify` writes as it is. */
function exactNumber(text: string): unknown {
  const number = Number(text);
  // Node has had rawJSON since version 22, TypeScript's library has not.
  return String(number) === text ? number : (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
