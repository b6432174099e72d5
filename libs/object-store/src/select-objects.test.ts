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

test('a prefix that ends within the name of a marker or of something hidden does not make it another one', () => {
  const deep = ['x/_a.json', 'x/_b/c.json', 'x/.h/d.json', 'x/e/_temporary/f.json', 'x/e/.h/g.json', 'x/e/h.json'];
  assert.deepEqual(selectObjects('x/_', listed(...deep.slice(0, 2))), { keys: [], passedOver: deep.slice(0, 2) });
  assert.deepEqual(selectObjects('x/.', listed(deep[2]!)), { keys: [], passedOver: [] });
  assert.deepEqual(selectObjects('x/e', listed(...deep.slice(3))), { keys: ['x/e/h.json'], passedOver: [deep[3]] });
});

test('one object of a single byte makes those without content be passed over', () => {
  const objects = [...listed('empty.json'), { key: 'one.json', bytes: 1 }];
  assert.deepEqual(selectObjects('', objects), { keys: ['one.json'], passedOver: ['empty.json'] });
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
    's3://-ab/x',
    's3://ab-/x',
    'xs3://bucket/x',
    ' s3://bucket/x',
  ]) {
    assert.throws(() => parseObjectAddress(wrong), { code: 's3-source-malformed', scope: 'usage' }, wrong);
  }
  assert.throws(() => parseObjectAddress(`s3:${'x'.repeat(500)}`), { message: /^"s3:x{197}" names no bucket\./ });
});
