import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS as CONSUMER } from '@genesys-kafka/consumer/settings';
import { SETTINGS as PRODUCER } from '@genesys-kafka/producer/settings';
import { settingsReference } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import type { SettingsDefinition } from '@genesys-kafka/runtime/settings';
import { settingsPage, settingsSchema } from './settings.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('the reference and the schema for editors know every setting as the programs do', () => {
  assert.equal(read('docs/reference/settings.md'), settingsPage(), 'run npm run docs');
  assert.equal(read('docs/settings.schema.json'), settingsSchema(), 'run npm run docs');
});

/** The highest paths of what `other` composes and `own` does not. */
function beyond(own: SettingsDefinition, other: SettingsDefinition): string[] {
  const known = new Set(own.fields.flatMap(({ path }) => path.map((_, index) => path.slice(0, index + 1).join('.'))));
  const paths = other.fields.flatMap(({ path }) => {
    const first = path.findIndex((_, index) => !known.has(path.slice(0, index + 1).join('.')));
    return first < 0 ? [] : [path.slice(0, first + 1).join('.')];
  });
  return [...new Set(paths)].sort();
}

test('each program passes over exactly what the other one reads beyond its own', () => {
  assert.deepEqual([...PRODUCER.readElsewhere].sort(), beyond(PRODUCER, CONSUMER));
  assert.deepEqual([...CONSUMER.readElsewhere].sort(), beyond(CONSUMER, PRODUCER));
});

test('what both read is described once, in the same words', () => {
  const byPath = new Map(settingsReference(PRODUCER).map((setting) => [setting.path, setting]));
  for (const setting of settingsReference(CONSUMER)) {
    assert.deepEqual(byPath.get(setting.path) ?? setting, setting);
  }
});

test('one file serves both programs, and the producer wants none of the variables of the sinks', () => {
  const file = join(ROOT, 'tools/fixtures/one-file.txt');
  const producer = loadSettings(PRODUCER, { file, env: {} });
  const consumer = loadSettings(CONSUMER, { file, env: { CRM_TOKEN: 'canary-of-the-crm' } });
  assert.deepEqual([producer.connector, producer.windows.sizeMs], ['contact-centre', 3_600_000]);
  assert.deepEqual([consumer.connector, consumer.routes.length], ['contact-centre', 2]);
  assert.throws(() => loadSettings(CONSUMER, { file, env: {} }), /takes CRM_TOKEN from the environment/);
});

const ALL = [...settingsReference(PRODUCER), ...settingsReference(CONSUMER)];

test('every setting is described with a type; in one program, a path is there once for each meaning and a variable sets one setting', () => {
  for (const { path, type, description } of ALL) {
    assert.ok(description.length > 4, `${path} has no description`);
    assert.ok(!['string', 'array', 'record', 'unknown', 'object '].includes(type), `${path} has type ${type}`);
  }
  for (const definition of [PRODUCER, CONSUMER]) {
    const rows = definition.fields.map(({ path, description }) => `${path.join('.')} ${description}`);
    assert.equal(new Set(rows).size, rows.length);
    const variables = definition.fields.flatMap(({ env }) => env ?? []);
    assert.equal(new Set(variables).size, variables.length);
  }
});

test('each variable that scripts rely on is there', () => {
  const promised =
    'GENESYS_REGION GENESYS_API_URL GENESYS_LOGIN_URL GENESYS_CLIENT_ID GENESYS_CLIENT_SECRET GENESYS_CONTRACT GENESYS_FILE_HOSTS ' +
    'KAFKA_BROKERS KAFKA_SSL KAFKA_SASL_MECHANISM KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD KAFKA_TOPIC_PREFIX ' +
    'SCHEMA_REGISTRY_URL SCHEMA_REGISTRY_USERNAME SCHEMA_REGISTRY_PASSWORD CONNECTOR_NAME SPOOL_DIR LOG_LEVEL ' +
    'HTTP_PORT HTTP_HOST ALLOW_INSECURE_HTTP ALLOW_INSECURE_KAFKA HTTPS_PROXY NO_PROXY';
  const known = new Set(ALL.map(({ env }) => env));
  for (const variable of promised.split(' ')) assert.ok(known.has(variable), variable);
});
