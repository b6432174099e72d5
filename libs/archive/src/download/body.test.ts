import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { arrived } from './body.ts';

test('what came before a connection broke is handed over, and only then the break', async () => {
  const body = new Readable({ read: () => undefined });
  body.on('error', () => undefined);
  body.push('abc');
  body.push('def');
  body.destroy(new Error('reset'));
  let text = '';
  const reading = async () => {
    for await (const chunk of arrived(body)) text += chunk.toString('latin1');
  };
  await assert.rejects(reading(), /^Error: reset$/);
  assert.equal(text, 'abcdef');
});
