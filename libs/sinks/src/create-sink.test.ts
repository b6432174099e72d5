import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSink, type SinkConfig } from './create-sink.ts';

test('types of later versions and unknown types are usage errors that name the sink', () => {
  for (const type of ['s3', 'kafka', 'postgres'] as const)
    assert.throws(() => createSink({ type, name: 'lake' }), {
      code: 'sink-type-unknown',
      scope: 'usage',
      message: `Sink "lake": type "${type}" is not available in this version. Use http or file.`,
    });
  assert.throws(() => createSink({ type: 'ftp', name: 'lake' } as unknown as SinkConfig), /"ftp" is unknown/);
});
