import { Capture } from './capture.ts';
import { ParserError } from './errors.ts';

const MAX_ENVELOPE_BYTES = 1024 * 1024;
/** A longer key is not `conversations`, and is not kept. */
const MAX_KEY_BYTES = 4096;

/** The members of a top-level object beside `conversations`: small, parsed, and never a reason to hold the document. */
export class Envelope {
  readonly key = new Capture(MAX_KEY_BYTES);
  readonly value = new Capture(MAX_ENVELOPE_BYTES);
  /** All keys met, to refuse a second one of the same name. */
  readonly #keys = new Set<string>();
  readonly #members: Record<string, unknown> = {};
  #bytes = 0;
  #tooLarge = false;
  #currentKey = '';

  /** Takes the key that ends before `end`. Undefined: accepted. Otherwise: what is wrong with it. */
  takeKey(chunk: Buffer, end: number): string | undefined {
    const bytes = this.key.take(chunk, end);
    this.#bytes += this.key.length;
    this.#tooLarge ||= bytes === undefined || this.#bytes > MAX_ENVELOPE_BYTES;
    const key = bytes === undefined ? '' : parse(bytes);
    this.#currentKey = typeof key === 'string' ? key : '';
    if (typeof key !== 'string') return 'a member name is not a valid string';
    if (this.#keys.has(key)) return `the member ${JSON.stringify(key.slice(0, 80))} appears twice`;
    // Past the limit only the one name that matters is remembered.
    if (!this.#tooLarge || this.isConversations) this.#keys.add(key);
    return undefined;
  }

  get isConversations(): boolean {
    return this.#currentKey === 'conversations';
  }

  /** Takes the value that ends before `end`. Undefined: accepted. Otherwise: what is wrong with it. */
  takeValue(chunk: Buffer, end: number): string | undefined {
    const bytes = this.value.take(chunk, end);
    this.#bytes += this.value.length;
    if (bytes === undefined || this.#bytes > MAX_ENVELOPE_BYTES) {
      this.#tooLarge = true;
      return undefined;
    }
    const value = parse(bytes);
    if (value === undefined)
      return `the value of member ${JSON.stringify(this.#currentKey.slice(0, 80))} is not valid JSON`;
    // A plain assignment to `__proto__` would change the prototype.
    Object.defineProperty(this.#members, this.#currentKey, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return undefined;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  suspend(chunk: Buffer): void {
    this.key.suspend(chunk);
    this.value.suspend(chunk);
  }

  get members(): Readonly<Record<string, unknown>> {
    if (this.#tooLarge) {
      const what = `The members beside "conversations" exceed ${MAX_ENVELOPE_BYTES} bytes and were not kept.`;
      throw new ParserError('envelope-too-large', what);
    }
    return this.#members;
  }
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(STRICT_UTF8.decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
