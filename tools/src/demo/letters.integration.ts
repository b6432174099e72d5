import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

test('the demo’s exports add up, and what the target refused is delivered in the end, once', async () => {
  const demo = fileURLToPath(import.meta.resolve('../demo.ts'));
  const { stdout } = await promisify(execFile)(process.execPath, [demo, '--only', 'export', '--records', '2000']);
  assert.match(stdout, /^refused = dead letters = replayed from (object storage|their topic) = delivered, once each$/m);
  const rows = stdout.match(/^(voice|everything) +\d.*$/gm);
  assert.equal(rows?.length, 2, stdout);
  assert.match(rows.join(), /[1-9]/, 'nothing was refused');
  assert.match(stdout, /\nEverything adds up\.\n$/);
});
