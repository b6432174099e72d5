import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsSourceOnly, errorsOf, isRetryable } from './errors.ts';

class ToolError extends errorsOf({
  'tool-lost': { meaning: 'The tool is gone.', remedy: 'Look for it.', retry: true },
  'tool-broken': { meaning: 'The tool is broken.', remedy: 'Buy another.', scope: 'source' },
}) {}

test('an error takes remedy, verdict and scope from the table, and may know a better remedy', () => {
  const lost = new ToolError('tool-lost', 'The hammer is not in its drawer.', { details: { drawer: 3 } });
  assert.equal(lost.message, 'The hammer is not in its drawer. Look for it.');
  assert.equal(lost.name, 'ToolError');
  assert.deepEqual([lost.code, lost.scope, lost.details], ['tool-lost', 'run', { drawer: 3 }]);
  assert.ok(isRetryable(lost) && !endsSourceOnly(lost));
  const cause = new Error('worn');
  const broken = new ToolError('tool-broken', 'The saw is blunt.', { remedy: 'Sharpen it.', cause });
  assert.equal(broken.message, 'The saw is blunt. Sharpen it.');
  assert.equal(broken.cause, cause);
  assert.deepEqual([endsSourceOnly(broken), isRetryable(broken)], [true, false]);
});
