import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseObjectAddress } from './object-address.ts';
import { selectObjects } from './select-objects.ts';

const listed = (...keys: readonly string[]) =>
  keys.map((key) => ({ key, bytes: key.endsWith('/') || key.endsWith('empty.json') ? 0 : 10 }));

test('all objects under a prefix, sorted, without directory keys, hidden ones and markers', () => {
  const keys = [
    'x/b.zip',
    'x/',
    'x/a/2.zip',
    'x/a/1.zip',
    'x/_SUCCESS',
    'x/.hidden/3.zip',
    'x/_temporary/0/4.zip',
    'x/a/',
  ];
  assert.deepEqual(selectObjects('x/', listed(...keys, 'x/a_$folder$', 'x/empty.json')), {
    keys: ['x/a/1.zip', 'x/a/2.zip', 'x/b.zip'],
    passedOver: ['x/_SUCCESS', 'x/_temporary/0/4.zip', 'x/a_$folder$', 'x/empty.json'],
  });
});

test('an object of exactly that key is it alone, whatever begins with it and whatever it is called', () => {
  assert.deepEqual(selectObjects('x/a.zip', listed('x/a.zip', 'x/a.zip.md5')), { keys: ['x/a.zip'], passedOver: [] });
  assert.deepEqual(selectObjects('x/_a.json', listed('x/_a.json')), { keys: ['x/_a.json'], passedOver: [] });
});

test('a prefix may end within a name, and its own directories do not make markers', () => {
  assert.deepEqual(selectObjects('_in/2025-1', listed('_in/2025-10.zip', '_in/2025-11.zip')).keys, [
    '_in/2025-10.zip',
    '_in/2025-11.zip',
  ]);
});

test('objects without content alone are sources, so that somebody hears of them', () => {
  assert.deepEqual(selectObjects('', listed('empty.json')), { keys: ['empty.json'], passedOver: [] });
  assert.deepEqual(selectObjects('x/', listed('x/')), { keys: [], passedOver: [] });
});

test('an address is a bucket and the rest as it is', () => {
  assert.deepEqual(parseObjectAddress('s3://b.ucket/a b/%20?x#y'), { bucket: 'b.ucket', key: 'a b/%20?x#y' });
  assert.deepEqual(parseObjectAddress('S3://bucket'), { bucket: 'bucket', key: '' });
  assert.deepEqual(parseObjectAddress('s3://bucket/'), { bucket: 'bucket', key: '' });
  for (const wrong of [
    's3:',
    's3:/bucket/key',
    's3://',
    's3:///key',
    's3://a/b',
    's3://buck et/x',
    's3://bucket?x/y',
  ]) {
    assert.throws(() => parseObjectAddress(wrong), { code: 's3-source-malformed', scope: 'usage' }, wrong);
  }
});
