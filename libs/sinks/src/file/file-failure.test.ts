import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkError } from '../errors.ts';
import { outcomeOfFileFailure } from './file-failure.ts';

const coded = (code: string) => outcomeOfFileFailure(Object.assign(new Error(`${code}: what, '/a/path'`), { code }));

test('what may be over by itself is a retry with its cause; an error that nobody knows is one too', () => {
  for (const [code, cause, reason] of [
    ['ENOSPC', 'disk-full', 'no space is left on the disk'],
    ['EDQUOT', 'disk-full', 'the disk quota is used up'],
    ['EFBIG', 'disk-full', 'the file has reached the largest size allowed'],
    ['EMFILE', 'too-many-open-files', 'no file descriptor is left'],
    ['ENFILE', 'too-many-open-files', 'no file descriptor is left'],
    ['ENOENT', 'file-deleted', 'the file was deleted while it was being written'],
    ['EIO', 'io-error', 'the file could not be written (EIO)'],
  ])
    assert.deepEqual(coded(code!), { kind: 'retry', failure: { cause, reason } });
  const unknown = { cause: 'io-error', reason: 'the file could not be written (unknown)' };
  assert.deepEqual(outcomeOfFileFailure(new Error('canary')), { kind: 'retry', failure: unknown });
});

test('what lasts until somebody changes permissions or paths is no record’s fault: the circuit opens', () => {
  for (const code of ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP', 'EEXIST'])
    assert.deepEqual(coded(code), {
      kind: 'misconfigured',
      failure: { cause: 'file-refused', reason: `the file may not be written (${code})` },
    });
  const locked = new SinkError('sink-file-locked', 'out.ndjson is being written by process 1 on h.');
  const failure = { cause: 'file-locked', reason: locked.message };
  assert.deepEqual(outcomeOfFileFailure(locked), { kind: 'misconfigured', failure });
});
