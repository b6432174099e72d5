/** That the registry client of the port works against a real registry; failures are in schema-registry.test.ts. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { startStack } from '@genesys-kafka/testing';
import { createSchemaRegistry, SchemaRegistryError } from './index.ts';

const DRAFT = 'http://json-schema.org/draft-07/schema#';
const text = (properties: object) => JSON.stringify({ $schema: DRAFT, type: 'object', properties });

test('a schema is registered once, found again, may gain a field, and may not change a type', async () => {
  await using stack = await startStack();
  const registry = createSchemaRegistry({ url: stack.registryUrl });
  await registry.check();
  const subject = `t-${randomUUID()}-value`;
  const base = { subject, compatibility: 'FORWARD' } as const;
  const first = text({ id: { type: 'string', format: 'uuid' } });
  const required = { ...base, mode: 'require-registered' } as const;
  const auto = { ...base, mode: 'auto' } as const;
  const code = (expected: string) => (error: unknown) =>
    error instanceof SchemaRegistryError && error.code === expected;

  assert.equal(await registry.tryRegister({ subject, schema: first }), true);
  await assert.rejects(registry.resolveId({ ...required, schema: first }), code('schema-not-registered'));
  const id = await registry.resolveId({ ...auto, schema: first });
  assert.equal(await registry.resolveId({ ...auto, schema: first }), id);
  // The subject's level is FORWARD by now, and stays so.
  assert.equal(await registry.resolveId({ ...auto, schema: first, compatibility: 'BACKWARD' }), id);
  assert.equal(await registry.resolveId({ ...required, schema: first }), id);
  assert.deepEqual(await registry.schemaById(id), { type: 'JSON', schema: first });

  const other = text({ id: { type: 'number' } });
  await assert.rejects(registry.tryRegister({ subject, schema: other }), code('schema-incompatible'));
  const grown = text({ id: { type: 'string', format: 'uuid' }, added: { type: 'number' } });
  assert.equal(await registry.tryRegister({ subject, schema: grown }), true);
  await assert.rejects(registry.resolveId({ ...required, schema: grown }), code('schema-not-registered'));
  assert.notEqual(await registry.resolveId({ ...auto, schema: grown }), id);
  await assert.rejects(registry.resolveId({ ...auto, schema: other }), code('schema-incompatible'));
  await assert.rejects(registry.resolveId({ ...required, schema: other }), code('schema-not-registered'));
  await assert.rejects(registry.schemaById(987_654_321), code('unknown-schema-id'));
});

test('programs that start at once on an empty registry all get the one id', async () => {
  await using stack = await startStack();
  const programs = Array.from({ length: 8 }, () => createSchemaRegistry({ url: stack.registryUrl }));
  const schema = text({ id: { type: 'string' } });
  for (let round = 0; round < 5; round += 1) {
    const asked = { subject: `t-${randomUUID()}-value`, schema, mode: 'auto', compatibility: 'FORWARD' } as const;
    const ids = await Promise.all(programs.map(async (registry) => registry.resolveId(asked)));
    assert.equal(new Set(ids).size, 1);
  }
});
