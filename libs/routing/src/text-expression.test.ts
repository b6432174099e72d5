import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileText } from './text-expression.ts';

const fail = (problem: string) => new Error(problem);
const evaluate = (expression: string, record: unknown, headers: Record<string, string> = {}) =>
  compileText(expression, fail).evaluate({ record, headers });

test('texts, numbers and truths of record and headers become text', () => {
  const record = { conversationId: 'c-1', n: 5, open: true, divisionIds: ['d 1'] };
  assert.deepEqual(evaluate('record.conversationId + "/x"', record), { text: 'c-1/x' });
  assert.deepEqual(evaluate('record.n', record), { text: '5' });
  assert.deepEqual(evaluate('size(record.divisionIds)', record), { text: '1' });
  assert.deepEqual(evaluate('record.open ? "PUT" : "PATCH"', record), { text: 'PUT' });
  assert.deepEqual(evaluate('record.divisionIds[0]', record), { text: 'd 1' });
  assert.deepEqual(evaluate('headers["job-id"]', record, { 'job-id': 'j' }), { text: 'j' });
});

test('what is not there, or is no text, is an error of that record without a value of it', () => {
  assert.deepEqual(evaluate('record.tenant', { tenat: 'personal' }), { error: 'no such key at column 8' });
  for (const value of [null, {}, ['personal']]) {
    const outcome = evaluate('record.tenant', { tenant: value });
    assert.ok('error' in outcome);
    assert.doesNotMatch(outcome.error, /personal/);
  }
  for (const n of [2 ** 53, 1e300, Infinity])
    assert.deepEqual(evaluate('record.n', { n }), { error: 'it did not give a text' }, 'may be another number');
  assert.deepEqual(evaluate('record.constructor', { constructor: 'own' }), { text: 'own' });
});

test('an expression that can never give a text is refused with its column', () => {
  assert.throws(() => compileText('record.', fail), /column/);
  assert.throws(() => compileText('nope', fail), /nope/);
  assert.throws(() => compileText('{"a": 1}', fail), /not a text/);
});

test('an expression that would cost too much is an error of that record', () => {
  const names = Array.from({ length: 3000 }, (_, index) => `n-${index}`);
  const expression = 'record.names.exists(a, record.names.exists(b, a + b == "x")) ? "a" : "b"';
  assert.match(JSON.stringify(evaluate(expression, { names })), /too costly/);
});
