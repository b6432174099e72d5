import { Capture } from './capture.ts';
import { ElementScanner, isSpace, StructureFault } from './element.ts';
import { Envelope } from './envelope.ts';
import { brokenJson, conversationsMissing, ParserError, trailingText, type Place } from './errors.ts';
import type { ScannedRecord, ScanOptions } from './record.ts';

type State =
  | 'start'
  | 'bom'
  | 'array-first'
  | 'array-value'
  | 'array-after'
  | 'object-first'
  | 'object-key'
  | 'object-colon'
  | 'object-value'
  | 'object-after'
  | 'element'
  | 'key'
  | 'member'
  | 'line'
  | 'after-single'
  | 'done';

const EMPTY = Buffer.alloc(0);
const LINE_FEED = 0x0a;

/**
 * Cuts a JSON document into its records without building values: strict about what stands between records, blind to
 * what stands inside them (brackets and strings apart). Memory is one record plus `maxDepth` bytes.
 */
export class RecordScanner {
  readonly #isPage: boolean;
  readonly #element: ElementScanner;
  /** Scans a top-level object's own members, which sit one level below it. */
  readonly #member: ElementScanner;
  readonly #record: Capture;
  readonly #envelope = new Envelope();
  #state: State = 'start';
  #failure: Error | undefined;
  /** A fault in the envelope counts only once the object is known to be an envelope. */
  #envelopeFault: StructureFault | undefined;
  #insideConversations = false;
  #sawConversations = false;
  #isLines = false;
  /** Document offset of the current chunk, and of the record in hand. */
  #base = 0;
  #recordOffset = 0;
  #ordinal = 0;
  /** An object that may turn out to be the first line of NDJSON; no page ever does. */
  #single: ScannedRecord | undefined;
  #singleMembers = 0;
  #singleEnded = false;

  constructor(options: ScanOptions) {
    this.#isPage = options.page ?? false;
    this.#element = new ElementScanner(options.maxDepth);
    this.#member = new ElementScanner(options.maxDepth - 1);
    this.#record = new Capture(options.maxRecordBytes);
  }

  /**
   * The records that this chunk completes. When the structure breaks, the records before the fault are returned
   * first and the next call throws.
   */
  push(chunk: Buffer): ScannedRecord[] {
    return this.#guarded((records) => {
      this.#checkEncoding(chunk);
      this.#consume(chunk, records);
      this.#record.suspend(chunk);
      this.#envelope.suspend(chunk);
      this.#base += chunk.length;
    });
  }

  /** Records that only the end of the document completes. Throws when the document is incomplete. */
  end(): ScannedRecord[] {
    return this.#guarded((records) => {
      if (this.#state === 'done') return;
      if (this.#state === 'after-single') {
        this.#endSingle(records);
      } else if (this.#state === 'line') {
        if (!this.#record.active) return;
        if (this.#element.isOpen) throw new StructureFault('the last line is cut off', 0);
        this.#emitLine(EMPTY, 0, records);
      } else {
        const empty = this.#state === 'start';
        throw new StructureFault(empty ? 'the document is empty' : 'the document is cut off', 0);
      }
    });
  }

  /**
   * The top-level members other than `conversations`, parsed; complete after `end()`. Empty for other documents.
   * Throws `envelope-too-large` past 1 MiB.
   */
  get envelope(): Readonly<Record<string, unknown>> {
    return this.#isLines ? {} : this.#envelope.members;
  }

  /** Whether the top-level object has a member `conversations`, an empty one too. */
  get hasConversations(): boolean {
    return this.#envelope.has('conversations');
  }

  /** Whether a bracket has closed the document: lines, and a lone object that may be the first of them, have no such end. */
  get isClosed(): boolean {
    return this.#failure === undefined && this.#state === 'done';
  }

  #guarded(work: (records: ScannedRecord[]) => void): ScannedRecord[] {
    if (this.#failure) throw this.#failure;
    const records: ScannedRecord[] = [];
    try {
      work(records);
    } catch (error) {
      this.#failure = this.#explain(error);
      if (records.length === 0) throw this.#failure;
    }
    return records;
  }

  #explain(error: unknown): Error {
    if (!(error instanceof StructureFault)) return error as Error;
    return brokenJson(error.message, this.#place(error.index));
  }

  /** UTF-16 and UTF-32, with or without a byte order mark, show within four bytes. */
  #checkEncoding(chunk: Buffer): void {
    for (let index = 0; index < chunk.length && this.#base + index < 4; index += 1) {
      const byte = chunk[index]!;
      if (byte === 0 || byte >= 0xfe) {
        const place = this.#place(index);
        const what = `The document is not UTF-8: byte ${place.offset} is a UTF-16 or UTF-32 sign.`;
        throw new ParserError('unsupported-encoding', what, { details: { ...place } });
      }
    }
  }

  #consume(chunk: Buffer, records: ScannedRecord[]): void {
    let index = 0;
    while (index < chunk.length) {
      if (this.#state === 'element') {
        const end = this.#element.scan(chunk, index);
        if (end < 0) return;
        this.#emit(chunk, end, records);
        this.#state = 'array-after';
        index = end;
      } else if (this.#state === 'line') {
        index = this.#scanLine(chunk, index, records);
      } else if (this.#state === 'key' || this.#state === 'member') {
        const end = this.#member.scan(chunk, index);
        if (end < 0) return;
        if (this.#state === 'key') this.#endKey(chunk, end);
        else this.#endMember(chunk, end);
        index = end;
      } else {
        const byte = chunk[index]!;
        if (byte === LINE_FEED && this.#state === 'after-single') this.#singleEnded = true;
        // A byte order mark is no place for spaces.
        const matters = this.#state === 'bom' || !isSpace(byte);
        if (matters && !this.#structure(byte, chunk, index, records)) continue;
        index += 1;
      }
    }
  }

  /** One byte between records. True when it is used up, false when the new state wants to see it. */
  #structure(byte: number, chunk: Buffer, index: number, records: ScannedRecord[]): boolean {
    switch (this.#state) {
      case 'start':
        return this.#begin(byte, index);
      case 'bom':
        if (byte !== (this.#base + index === 1 ? 0xbb : 0xbf)) throw unexpected('an array or an object', byte, index);
        if (byte === 0xbf) this.#state = 'start';
        return true;
      case 'array-first':
        if (byte === 0x5d) return this.#endArray();
        return this.#beginElement(byte, index);
      case 'array-value':
        return this.#beginElement(byte, index);
      case 'array-after':
        if (byte === 0x5d) return this.#endArray();
        if (byte !== 0x2c) throw unexpected('"," or "]" after a record', byte, index);
        this.#state = 'array-value';
        return true;
      case 'object-first':
        if (byte === 0x7d) return this.#endObject(chunk, index);
        return this.#beginKey(byte, index);
      case 'object-key':
        return this.#beginKey(byte, index);
      case 'object-colon':
        if (byte !== 0x3a) throw unexpected('":" after a member name', byte, index);
        this.#singleMembers += 1;
        this.#state = 'object-value';
        return true;
      case 'object-value':
        return this.#beginMember(byte, index);
      case 'object-after':
        if (byte === 0x7d) return this.#endObject(chunk, index);
        if (byte !== 0x2c) throw unexpected('"," or "}" after a member', byte, index);
        this.#state = 'object-key';
        return true;
      case 'after-single':
        return this.#continueAsLines(byte, index, records);
      default:
        throw trailingText(this.#place(index));
    }
  }

  #begin(byte: number, index: number): boolean {
    if (byte === 0xef && this.#base + index === 0) {
      this.#state = 'bom';
      return true;
    }
    if (byte === 0x5b && !this.#isPage) {
      this.#state = 'array-first';
      return true;
    }
    if (byte === 0x7b) {
      this.#state = 'object-first';
      if (!this.#isPage) this.#beginRecord(index);
      return true;
    }
    throw unexpected(`${this.#isPage ? 'an object' : 'an array or an object'} of records`, byte, index);
  }

  #beginRecord(index: number): void {
    this.#record.begin(index);
    this.#recordOffset = this.#base + index;
  }

  #beginElement(byte: number, index: number): boolean {
    // A comma, a colon or a closing bracket is where a record should be.
    if (byte === 0x2c || byte === 0x3a || (byte | 0x20) === 0x7d) throw unexpected('a record', byte, index);
    this.#beginRecord(index);
    this.#element.begin(byte);
    this.#state = 'element';
    return false;
  }

  #emit(chunk: Buffer, end: number, records: ScannedRecord[]): void {
    const bytes = this.#record.take(chunk, end);
    const { members } = this.#element;
    const { length } = this.#record;
    records.push({ ordinal: this.#ordinal, offset: this.#recordOffset, length, bytes, members });
    this.#ordinal += 1;
  }

  #endArray(): boolean {
    this.#state = this.#insideConversations ? 'object-after' : 'done';
    this.#insideConversations = false;
    return true;
  }

  #beginKey(byte: number, index: number): boolean {
    if (byte !== 0x22) throw unexpected('a member name', byte, index);
    this.#envelope.key.begin(index);
    this.#member.begin(byte);
    this.#state = 'key';
    return false;
  }

  #endKey(chunk: Buffer, end: number): void {
    this.#reportEnvelope(this.#envelope.takeKey(chunk, end), end);
    this.#state = 'object-colon';
  }

  #beginMember(byte: number, index: number): boolean {
    if (byte === 0x2c || byte === 0x3a || (byte | 0x20) === 0x7d) throw unexpected('a value', byte, index);
    if (this.#envelope.isConversations) {
      if (byte === 0x5b) {
        this.#sawConversations = true;
        this.#insideConversations = true;
        this.#record.drop();
        if (this.#envelopeFault) throw this.#envelopeFault;
        this.#state = 'array-first';
        return true;
      }
      if (byte !== 0x6e) {
        throw conversationsMissing('The member "conversations" is not an array.', this.#place(index));
      }
    }
    this.#envelope.value.begin(index);
    this.#member.begin(byte);
    this.#state = 'member';
    return false;
  }

  #endMember(chunk: Buffer, end: number): void {
    this.#singleMembers += this.#member.members;
    this.#reportEnvelope(this.#envelope.takeValue(chunk, end), end);
    if (this.#envelope.isConversations && !this.#isPage) {
      throw conversationsMissing('The member "conversations" is null.', this.#place(end));
    }
    this.#state = 'object-after';
  }

  #reportEnvelope(reason: string | undefined, index: number): void {
    if (reason === undefined) return;
    const fault = new StructureFault(reason, index);
    if (this.#sawConversations || this.#isPage) throw fault;
    this.#envelopeFault ??= fault;
  }

  #endObject(chunk: Buffer, index: number): boolean {
    if (this.#sawConversations || this.#isPage) {
      this.#state = 'done';
    } else {
      // It may be asked for with a later chunk.
      const bytes = copied(this.#record.take(chunk, index + 1));
      const { length } = this.#record;
      this.#single = { ordinal: 0, offset: this.#recordOffset, length, bytes, members: this.#singleMembers };
      this.#state = 'after-single';
    }
    return true;
  }

  /** Something follows a lone object: another line of NDJSON, or text that should not be there. */
  #continueAsLines(byte: number, index: number, records: ScannedRecord[]): boolean {
    if (!this.#singleEnded) throw trailingText({ ordinal: 1, offset: this.#base + index });
    if (this.#single?.bytes?.includes(LINE_FEED)) {
      throw unexpected('one object, or objects of one line each', byte, index);
    }
    this.#emitSingle(records);
    this.#state = 'line';
    return false;
  }

  #endSingle(records: ScannedRecord[]): void {
    if (this.#envelope.has('conversationId')) this.#emitSingle(records);
    else throw conversationsMissing('The top-level object has no member "conversations".', this.#place(0));
  }

  #emitSingle(records: ScannedRecord[]): void {
    records.push(this.#single!);
    this.#single = undefined;
    this.#isLines = true;
    this.#ordinal = 1;
  }

  #scanLine(chunk: Buffer, from: number, records: ScannedRecord[]): number {
    let index = from;
    if (!this.#record.active) {
      while (index < chunk.length && isSpace(chunk[index]!)) index += 1;
      if (index === chunk.length) return index;
      this.#beginRecord(index);
      this.#element.begin(0x5b);
    }
    const lineFeed = chunk.indexOf(LINE_FEED, index);
    const end = lineFeed < 0 ? chunk.length : lineFeed;
    this.#element.scanLine(chunk, index, end);
    if (lineFeed < 0) return end;
    this.#emitLine(chunk, end, records);
    return end + 1;
  }

  #emitLine(chunk: Buffer, end: number, records: ScannedRecord[]): void {
    const whole = this.#record.take(chunk, end);
    let length = whole?.length ?? this.#record.length;
    while (whole && isSpace(whole[length - 1]!)) length -= 1;
    const bytes = whole?.subarray(0, length);
    const { members } = this.#element;
    records.push({ ordinal: this.#ordinal, offset: this.#recordOffset, length, bytes, members });
    this.#ordinal += 1;
  }

  #place(index: number): Place {
    return { ordinal: this.#ordinal, offset: this.#base + index };
  }
}

function copied(bytes: Buffer | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes);
}

function unexpected(wanted: string, byte: number, index: number): StructureFault {
  const found = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16)}`;
  return new StructureFault(`expected ${wanted}, found ${found}`, index);
}
