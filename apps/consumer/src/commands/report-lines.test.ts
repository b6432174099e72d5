import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { HOSTILE } from '../../fixtures/hostile-text.ts';

const PRINT = join(import.meta.dirname, '../../fixtures/print-letters.ts');

test('no text of a record reaches a terminal raw, in lines and in JSON, which still means the same', async () => {
  const print = async (...args: string[]) => (await promisify(execFile)(process.execPath, [PRINT, ...args])).stdout;
  const [lines, json] = await Promise.all([print('all'), print('--json', 'all')]);
  for (const stdout of [lines, json]) {
    assert.match(stdout, /cause .*52;c;QQ==/);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
  }
  const documents = json.trim().split('\n');
  const [, shown] = documents.map((line) => JSON.parse(line) as { value?: { text: string } });
  assert.deepEqual([documents.length, shown!.value?.text], [3, `value ${HOSTILE}`]);
});
