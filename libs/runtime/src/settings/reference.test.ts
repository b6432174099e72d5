import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEST_SETTINGS } from '../../fixtures/test-settings.ts';
import { settingsJsonSchema, settingsReference } from './reference.ts';

test('a row says path, variable, type, default and whether it is a secret', () => {
  const reference = settingsReference(TEST_SETTINGS);
  const row = (path: string) => reference.find((known) => known.path === path);
  assert.deepEqual(row('bus.requestTimeout'), {
    path: 'bus.requestTimeout',
    type: 'duration',
    default: '5s',
    required: false,
    secret: false,
    description: 'Longest wait for an answer.',
  });
  assert.equal(row('api.clientSecret')?.secret, true);
  assert.equal(row('routes[].target')?.required, true);
  assert.equal(row('targets.*.type')?.type, 'http | file');
});

test('what kinds of a section say differently is said for each of them, what only some have with their names, what they share once', () => {
  const reference = settingsReference(TEST_SETTINGS);
  const rows = reference.filter(({ path }) => path === 'targets.*.timeout');
  assert.deepEqual(
    rows.map(({ default: initial, description }) => [initial, description]),
    [
      ['30s', '`http`: Longest wait.'],
      ['5s', '`file`: Longest wait.'],
    ],
  );
  const onlyFiles = reference.find(({ path }) => path === 'targets.*.path');
  assert.equal(onlyFiles?.description, '`file`: Where lines go.');
  assert.equal(new Set(reference.map(({ path }) => path)).size, reference.length - 1);
});

test("the editors' schema describes what is written, not what is parsed, and holds none of our own words", () => {
  const schema = settingsJsonSchema(TEST_SETTINGS) as {
    properties: Record<string, { properties: Record<string, object> }>;
    additionalProperties: boolean;
  };
  assert.equal(schema.additionalProperties, false);
  assert.equal((schema.properties.bus!.properties.requestTimeout as { type: string }).type, 'string');
  assert.equal((schema.properties.bus!.properties.maxBytes as { default: string }).default, '32MiB');
  assert.doesNotMatch(JSON.stringify(schema), /"(?:env|secret|kind|variables)":/);
});
