import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILES, read } from './tree.ts';

const FOLDER = 'libs/sinks/fixtures/command/';

test('docs/sinks/your-own.md shows the tested files whole, as they would stand in a folder of libs/sinks/src', () => {
  const files = FILES.filter((file) => file.startsWith(FOLDER));
  const shown = [...read('docs/sinks/your-own.md').matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  const there = files.map((file) => read(file).replaceAll('../../src/', '../'));
  assert.deepEqual(shown.toSorted(), there.toSorted());
  assert.equal(there.length, 2);
});
