import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { folderOf, objectName, parseObjectPath, pathPart } from './letter-path.ts';

test('law: whatever a route or a cause is called, it is one part of a path, neither . nor .., and never two names alike', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (one, other) => {
      const [a, b] = [pathPart(one), pathPart(other)];
      assert.match(a, /^[A-Za-z0-9._~:%-]{1,200}$/);
      assert.doesNotMatch(a, /^\.*$/);
      assert.equal(a === b, one.toWellFormed() === other.toWellFormed());
    }),
  );
});

test('a folder says day, route and cause; the producer has a place of its own', () => {
  const timestampMs = Date.parse('2026-01-31T23:59:59.999Z');
  const folder = folderOf({ timestampMs, route: 'a/../b', cause: '..' });
  assert.equal(folder, '2026/01/31/a%2F..%2Fb/%../');
  assert.deepEqual(parseObjectPath(`${folder}x.ndjson.gz`), { day: '2026-01-31', route: 'a%2F..%2Fb', cause: '%..' });
  assert.equal(folderOf({ timestampMs, cause: 'invalid-json' }), '2026/01/31/producer/invalid-json/');
  for (const other of ['_marks/replayed/x.ndjson.gz', '_actions/2026/01/31/x.json', '2026/01/31/crm/x.ndjson.gz']) {
    assert.equal(parseObjectPath(other), undefined, other);
  }
});

test('the same dead letters have the same name; another one, another byte or another order of bytes has not', () => {
  const [a, b] = [
    { id: 'a', value: Buffer.from('1') },
    { id: 'b', value: null },
  ];
  const names = [[a], [b], [a, b], [{ ...a, value: Buffer.from('2') }], [{ ...a, value: Buffer.alloc(0) }]].map(
    objectName,
  );
  assert.equal(new Set(names).size, names.length);
  assert.equal(objectName([{ ...a }, { ...b }]), names[2]);
});
