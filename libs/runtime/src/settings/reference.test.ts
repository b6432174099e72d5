import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsJsonSchema, settingsReference } from './reference.ts';

const reference = settingsReference();

test('every setting is described with a type, once; a variable sets one setting', () => {
  for (const { path, type, description } of reference) {
    assert.ok(description.length > 4, `${path} has no description`);
    assert.ok(!['string', 'array', 'record', 'unknown', 'object '].includes(type), `${path} has type ${type}`);
  }
  const paths = reference.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  const variables = reference.flatMap(({ env }) => env ?? []);
  assert.equal(new Set(variables).size, variables.length);
});

test("each variable of the contract is there (design.md, 'Environment')", () => {
  const promised =
    'GENESYS_REGION GENESYS_API_URL GENESYS_LOGIN_URL GENESYS_CLIENT_ID GENESYS_CLIENT_SECRET GENESYS_CONTRACT GENESYS_FILE_HOSTS ' +
    'KAFKA_BROKERS KAFKA_CLIENT KAFKA_SSL KAFKA_SASL_MECHANISM KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD KAFKA_TOPIC_PREFIX ' +
    'SCHEMA_REGISTRY_URL SCHEMA_REGISTRY_USERNAME SCHEMA_REGISTRY_PASSWORD VALUE_FORMAT CONNECTOR_NAME SPOOL_DIR LOG_LEVEL ' +
    'HTTP_PORT ALLOW_INSECURE_HTTP HTTPS_PROXY NO_PROXY';
  const known = new Set(reference.map(({ env }) => env));
  for (const variable of promised.split(' ')) assert.ok(known.has(variable), variable);
});

test('a row says path, variable, type, default and whether it is a secret', () => {
  const row = (path: string) => reference.find((known) => known.path === path);
  assert.deepEqual(row('kafka.requestTimeout'), {
    path: 'kafka.requestTimeout',
    type: 'duration',
    default: '5s',
    required: false,
    secret: false,
    description: 'Longest wait for an answer of a broker.',
  });
  assert.equal(row('genesys.clientSecret')?.secret, true);
  assert.equal(row('routes[].sink')?.required, true);
  assert.equal(row('sinks.*.type')?.type, 'http | file | s3 | postgres | kafka');
});

test("the editors' schema describes what is written, not what is parsed, and holds none of our own words", () => {
  const schema = settingsJsonSchema() as {
    properties: Record<string, { properties: Record<string, object> }>;
    additionalProperties: boolean;
  };
  assert.equal(schema.additionalProperties, false);
  assert.equal((schema.properties.kafka!.properties.requestTimeout as { type: string }).type, 'string');
  assert.equal((schema.properties.windows!.properties.size as { default: string }).default, '1d');
  assert.doesNotMatch(JSON.stringify(schema), /"(?:env|secret|kind)":/);
});
