import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, load, mebibytes, seconds } from './units.ts';

test('numbers have two digits that count, and a letter from ten thousand on', () => {
  assert.deepEqual([0.00123, 0.5, 8, 99.6, 1234, 9949, 9951, 27_778, 1e6, 999_999, 1e9, 2.34e12].map(count), [
    '0.0012',
    '0.5',
    '8',
    '100',
    '1,200',
    '9,900',
    '10 k',
    '28 k',
    '1 M',
    '1 M',
    '1 B',
    '2.3 T',
  ]);
});

test('bytes, loads and spans', () => {
  assert.deepEqual([64, 7757, 999_500, 36e6, 1.08e12, 2.3e15].map(bytes), [
    '64 B',
    '7.8 kB',
    '1 MB',
    '36 MB',
    '1.1 TB',
    '2.3 PB',
  ]);
  assert.equal(mebibytes(33_554_432), '32 MiB');
  assert.deepEqual([0.0056, 0.5, 1, 1.94, 2, 170].map(load), ['0.56 %', '50 %', '100 %', '190 %', '2 ×', '170 ×']);
  assert.deepEqual([0.036, 5, 59, 60, 90, 300, 86_400].map(seconds), [
    '0.036 s',
    '5 s',
    '59 s',
    '1 min',
    '90 s',
    '5 min',
    '24 h',
  ]);
});
