import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpret, NOTHING, type Progress, type Verdict } from './response.ts';

const ETAG = '"one"';
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

/** 100 of 300 bytes are on disk, of an object with this validator. */
const held = (of: Partial<Progress['validators']> = { etag: ETAG }, rest: Partial<Progress> = {}): Progress => ({
  ...NOTHING,
  received: 100,
  total: 300,
  validators: { etag: undefined, lastModified: undefined, ...of },
  ...rest,
});

const answer = (status: number, headers: Record<string, string>, progress: Progress) =>
  interpret({ status, headers }, progress, 0, 'the link');
const part = (range: string, headers: Record<string, string> = {}, progress = held()) =>
  answer(206, { etag: ETAG, 'content-range': `bytes ${range}`, ...headers }, progress);
const begunAnew = (because: string) => ({ kind: 'restart', because });
const from = ({ kind, ...verdict }: Verdict) => [kind, 'at' in verdict ? verdict.at : undefined];

test('a part that leaves a gap, or is not as long as it says, does not continue what is on disk', () => {
  assert.deepEqual(from(part('100-299/300')), ['body', 100]);
  assert.deepEqual(from(part('90-299/300')), ['body', 90]);
  assert.deepEqual(part('101-299/300'), begunAnew('range'));
  assert.deepEqual(part('200-299/300'), begunAnew('range'));
  // Nothing that is missing, or more than there is.
  assert.deepEqual(part('0-99/300'), begunAnew('range'));
  assert.deepEqual(part('100-300/300'), begunAnew('range'));
  assert.deepEqual(from(part('100-299/300', { 'content-length': '200' })), ['body', 100]);
  assert.deepEqual(part('100-299/300', { 'content-length': '199' }), begunAnew('range'));
  assert.deepEqual(part('100-299/300', { 'content-length': '201' }), begunAnew('range'));
});

test('a part in another coding than what is on disk does not continue it', () => {
  assert.deepEqual(part('100-299/300', { 'content-encoding': 'gzip' }), begunAnew('range'));
  const packed = held({ etag: ETAG }, { encoding: 'gzip' });
  assert.deepEqual(part('100-299/300', {}, packed), begunAnew('range'));
  assert.deepEqual(from(part('100-299/300', { 'content-encoding': 'gzip' }, packed)), ['body', 100]);
});

test('416 at what was received is the end of the same object alone', () => {
  const refused = (headers: Record<string, string>, progress: Progress) =>
    answer(416, { 'content-range': 'bytes */100', ...headers }, progress);
  const unknown = held({ etag: ETAG }, { total: undefined });
  assert.deepEqual(refused({ etag: ETAG }, unknown), { kind: 'complete' });
  // The object that is there now happens to be as long as what came of the one before.
  assert.deepEqual(refused({}, unknown), begunAnew('not-resumable'));
  assert.deepEqual(refused({ etag: `W/${ETAG}` }, unknown), begunAnew('not-resumable'));
  assert.deepEqual(refused({ etag: '"two"' }, unknown), begunAnew('changed'));
  assert.deepEqual(refused({ etag: '"two"' }, held({ etag: ETAG }, { total: 100 })), begunAnew('changed'));
  const dated = held({ lastModified: DATE }, { total: undefined });
  assert.deepEqual(refused({ 'last-modified': DATE }, dated), { kind: 'complete' });
  assert.deepEqual(refused({}, dated), begunAnew('not-resumable'));
  // Known before to be all of it.
  assert.deepEqual(refused({}, held({ etag: ETAG }, { total: 100 })), { kind: 'complete' });
});

test('412 says that the file has changed where that was the condition, and that a link has expired elsewhere', () => {
  const asked = (progress: Progress, ifMatch: boolean) =>
    interpret({ status: 412, headers: {}, ifMatch }, progress, 0, 'the link');
  assert.deepEqual(asked(held(), true), begunAnew('changed'));
  assert.deepEqual(asked(held(), false), { kind: 'refused', status: 412 });
  // From its beginning it is asked for without a condition.
  assert.deepEqual(asked(NOTHING, true), { kind: 'refused', status: 412 });
});
