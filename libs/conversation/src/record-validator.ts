import { isAscii, isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import type { Ajv } from 'ajv';
import { createRecordAcceptor } from './accept/record-acceptor.ts';
import { conversationSchemaText } from './conversation-schema.ts';
import { countMembers } from './count-members.ts';
import { type ExactJson, hasEscapedKey, MAX_EXACT_MEMBERS, readExactly } from './exact-json.ts';
import { FaultFinder, MAX_REASONS } from './fault-finder.ts';
import { propertyNames, safePointer } from './reasons.ts';
import { costsTooMuch } from './value-cost.ts';

type InvalidRecordCode =
  'invalid-utf8' | 'invalid-json' | 'duplicate-key' | 'not-an-object' | 'schema-violation' | 'record-too-costly';

export interface ValidRecord {
  readonly ok: true;
  /** The record's key. */
  readonly conversationId: string;
}

export interface InvalidRecord {
  readonly ok: false;
  readonly code: InvalidRecordCode;
  /** At least one, at most `MAX_REASONS`: JSON pointers and keywords, never a value and never a key of the data. */
  readonly reasons: readonly string[];
  /** Present where the record has exactly one, and it is a non-empty string. */
  readonly conversationId?: string;
}

export interface RecordValidator {
  /**
   * Validates the bytes of one record; keeps none of them. `members` is the number of colons outside strings, as the
   * boundary scanner counted them: it is how a repeated key is seen. Never throws for anything in the bytes, only for a
   * count that is wrong.
   */
  validate(bytes: Uint8Array, members: number): ValidRecord | InvalidRecord;
}

/**
 * Compiles a schema once. Throws for one that Ajv does not accept in strict mode; there is no remote `$ref`. The
 * conversation's own is known to be accepted: Ajv, which takes 10 MB and 60 ms, comes with the first record that needs it.
 */
export function createRecordValidator(options: { readonly schema?: object } = {}): RecordValidator {
  const schema = options.schema ?? (JSON.parse(conversationSchemaText) as object);
  let thorough = options.schema && createThoroughValidator(schema);
  const acceptor = createRecordAcceptor(schema);
  return {
    validate(bytes, members) {
      // Nearly every record ends here; the others take several times as long, and are told what is wrong with them.
      const conversationId = acceptor.accept(bytes, members);
      if (conversationId !== undefined) return { ok: true, conversationId };
      thorough ??= createThoroughValidator(schema);
      return thorough.validate(bytes, members);
    },
  };
}

/** Judges every record, by parsing it. @internal */
export function createThoroughValidator(schema: object): RecordValidator {
  const stopsAtFirst = newAjv(false);
  const first = stopsAtFirst.compile(schema);
  // What it needs is compiled when the first record comes that has such a fault.
  let findsAll: Ajv | undefined;
  const faults = new FaultFinder(schema, (piece, { allErrors }) =>
    (allErrors ? (findsAll ??= newAjv(true)) : stopsAtFirst).compile(piece),
  );

  return {
    validate(bytes, members) {
      if (costsTooMuch(bytes)) return tooCostly('holds too many values for the memory of one record');
      const text = decode(bytes);
      if (text === undefined) return { ok: false, code: 'invalid-utf8', reasons: ['/: not valid UTF-8'] };
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch (error) {
        return { ok: false, code: 'invalid-json', reasons: [syntaxReason(error)] };
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return { ok: false, code: 'not-an-object', reasons: [`/: type (object), found ${kind(value)}`] };
      }
      if (countMembers(value) !== members || hasEscapedKey(text)) {
        // A key given twice, or one that JSON.parse may have misread: only the slow reader knows which.
        if (members > MAX_EXACT_MEMBERS) return tooCostly('needs the slow reader, and is too large for it');
        const exact = readExactly(text, MAX_REASONS);
        if (exact.members !== members) {
          throw new Error(
            `The scanner counted ${members} members where there are ${exact.members}: a bug in counting.`,
          );
        }
        if (exact.repeated.length > 0) return duplicated(exact, propertyNames(schema));
        value = exact.value;
      }
      const id = (value as { conversationId?: unknown }).conversationId;
      const key = typeof id === 'string' && id !== '' ? id : undefined;
      if (!first(value)) {
        return {
          ok: false,
          code: 'schema-violation',
          reasons: faults.explain(value, first.errors ?? []).reasons,
          ...(key !== undefined && { conversationId: key }),
        };
      }
      // The built-in schema demands it; a schema from outside may not, and a record without a key has no place.
      if (key === undefined) return { ok: false, code: 'schema-violation', reasons: ['/conversationId: required'] };
      return { ok: true, conversationId: key };
    },
  };
}

/** Strict decoding without a copy of the bytes; Latin-1 is the cheaper way to a string where all are ASCII. */
function decode(bytes: Uint8Array): string | undefined {
  const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isAscii(view)) return view.toString('latin1');
  return isUtf8(view) ? view.toString('utf8') : undefined;
}

const require = createRequire(import.meta.url);

function newAjv(allErrors: boolean): Ajv {
  const { Ajv } = require('ajv') as typeof import('ajv');
  // Not its index: that loads a copy of Ajv's compiler for keywords which the schema does not have.
  const { fastFormats } = require('ajv-formats/dist/formats.js') as typeof import('ajv-formats/dist/formats.js');
  // strictNumbers off: 1e400 is a JSON number like any other, even where this language reads it as Infinity.
  return new Ajv({ allErrors, strict: true, strictNumbers: false, validateFormats: true, formats: fastFormats });
}

/** For a record on which nobody may spend more: the words say what it would have taken. */
export function tooCostly(what: string): InvalidRecord {
  return { ok: false, code: 'record-too-costly', reasons: [`/: ${what}`] };
}

function duplicated({ value, repeated }: ExactJson, known: ReadonlySet<string>): InvalidRecord {
  const id = (value as { conversationId?: unknown }).conversationId;
  const ambiguous = repeated.some((segments) => segments.length === 1 && segments[0] === 'conversationId');
  const overflow = repeated.length === MAX_REASONS;
  return {
    ok: false,
    code: 'duplicate-key',
    reasons: [...new Set(repeated.map((segments) => `${safePointer(segments, known)}: duplicate key`))],
    ...(typeof id === 'string' && id !== '' && !ambiguous && !overflow && { conversationId: id }),
  };
}

/** V8 quotes the text around a syntax error, which may be a customer's words: only the position is kept. */
function syntaxReason(error: unknown): string {
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? '/: not valid JSON' : `/: not valid JSON at character ${position}`;
}

function kind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
