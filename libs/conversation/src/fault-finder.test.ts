import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { countColons } from '../fixtures/count-colons.ts';
import { hostileRecord } from '../fixtures/hostile-records.ts';
import { conversationSchemaText } from './conversation-schema.ts';
import { FaultFinder, MAX_REASONS, MAX_STEPS } from './fault-finder.ts';
import { createRecordValidator } from './record-validator.ts';

/** A finder over the schema whose every check of a value is counted. */
function counted(schema: object) {
  const count = { checks: 0 };
  const finder = new FaultFinder(schema, (piece, { allErrors }) => {
    const ajv = new Ajv({ allErrors, strict: true });
    formats.default(ajv, { mode: 'fast' });
    const check = ajv.compile(piece);
    const counting = (value: unknown) => {
      count.checks += 1;
      const isValid = check(value);
      counting.errors = check.errors;
      return isValid;
    };
    counting.errors = null as ValidateFunction['errors'];
    return counting as unknown as ValidateFunction;
  });
  return { count, finder };
}

test('a hostile record is explained in bounded steps, however wide, deep or long', () => {
  const { count, finder } = counted(JSON.parse(conversationSchemaText) as object);
  fc.assert(
    fc.property(hostileRecord, (text) => {
      count.checks = 0;
      const { reasons, steps } = finder.explain(JSON.parse(text), []);
      assert(steps <= MAX_STEPS && count.checks <= MAX_STEPS, `${steps} steps, ${count.checks} checks`);
      assert(reasons.length <= MAX_REASONS);
      assert.equal(new Set(reasons).size, reasons.length);
    }),
    { numRuns: 25 },
  );
});

test('a hostile record has one verdict, with reasons that are bounded', () => {
  const validator = createRecordValidator();
  fc.assert(
    fc.property(hostileRecord, (text) => {
      const result = validator.validate(Buffer.from(text), countColons(text));
      if (!result.ok) assert(result.reasons.length > 0 && result.reasons.length <= MAX_REASONS, result.code);
    }),
    { numRuns: 15 },
  );
});

test('a list of 300 kB of faults is left after as many steps as there are reasons: Ajv takes the square of it', () => {
  const { count, finder } = counted(JSON.parse(conversationSchemaText) as object);
  const participants = Array.from({ length: 150_000 }, () => 1);
  const { reasons } = finder.explain({ participants }, []);
  assert.equal(reasons.length, MAX_REASONS);
  assert(count.checks < 3 * MAX_REASONS, `${count.checks} checks`);
});

test('a fault behind more places than are looked at is told all the same: it is the one that Ajv found', () => {
  const participants: unknown[] = [...Array.from({ length: MAX_STEPS }, () => ({})), 1];
  const text = JSON.stringify({ conversationId: 'c', conversationStart: '2026-09-14T13:02:11Z', participants });
  const result = createRecordValidator().validate(Buffer.from(text), countColons(text));
  assert(!result.ok);
  assert.deepEqual(result.reasons, [`/participants/${MAX_STEPS}: type (object)`]);
});

test('whatever a schema says is told: closed objects, references to itself, and the first fault of what is combined', () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      id: { type: 'string', minLength: 3, pattern: '^a' },
      child: { $ref: '#/definitions/Node' },
      either: { anyOf: [{ $ref: '#/definitions/Node' }, { type: 'null' }] },
    },
    definitions: {
      Node: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, next: { $ref: '#/definitions/Node' } },
      },
    },
  };
  const { finder } = counted(schema);
  const faults = (value: unknown) => [...finder.explain(value, []).reasons].sort();
  assert.deepEqual(faults({ id: 'b', other: 1 }), [
    '/: additionalProperties (other)',
    '/id: minLength (3)',
    '/id: pattern (^a)',
  ]);
  assert.deepEqual(faults({ child: { name: 1, next: { next: {} } } }), [
    '/child/name: type (string)',
    '/child/next/next: required (name)',
    '/child/next: required (name)',
  ]);
  assert.deepEqual(faults({ child: { name: 'a' }, either: null }), []);
  assert(faults({ either: 7 }).length > 0);
});
