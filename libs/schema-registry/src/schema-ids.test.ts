import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { SchemaRegistryError } from './errors.ts';
import { SchemaIds } from './schema-ids.ts';
import type { RegisteredSchema } from './schema-registry.ts';

const never = new AbortController().signal;
const json: RegisteredSchema = { type: 'JSON', schema: '{}' };
const unknown = new SchemaRegistryError('unknown-schema-id', 'no such id');

/** Answers in turn, the last for ever. */
function ids(...answers: (RegisteredSchema | Error)[]) {
  const clock = new ManualClock();
  let asked = 0;
  const registry = {
    schemaById: async () => {
      const answer = answers[Math.min(asked, answers.length - 1)]!;
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const told: string[] = [];
  const onFailure = ({ code }: SchemaRegistryError) => void told.push(code);
  return { clock, ids: new SchemaIds({ registry, clock, onFailure }), asked: () => asked, told };
}

test('a JSON Schema is asked for once, even by many at the same time', async () => {
  const { ids: schemas, asked } = ids(json);
  assert.deepEqual(await Promise.all([schemas.check(1, never), schemas.check(1, never)]), [undefined, undefined]);
  await schemas.check(1, never);
  assert.equal(asked(), 1);
});

test('an id that stays unknown is a problem, but only after some tries, and it is asked again later', async () => {
  const { clock, ids: schemas } = ids(unknown, unknown, unknown, json);
  const first = schemas.check(1, never);
  await clock.advance(10_000);
  assert.equal((await first)?.cause, 'unknown-schema-id');
  assert.equal(await schemas.check(1, never), undefined);
});

test('while the registry is away or answers oddly the record waits, however long; it is told, and readiness falls', async () => {
  for (const code of ['registry-unreachable', 'registry-failed', 'registry-authentication-failed'] as const) {
    const odd = new SchemaRegistryError(code, 'odd.');
    const { clock, ids: schemas, told } = ids(...Array.from({ length: 200 }, () => odd), json);
    const waiting = [1, 2, 3].map(async (id) => schemas.check(id, never));
    await clock.advance(60_000);
    assert.match(schemas.notReady!, new RegExp(code));
    assert.ok(told.length >= 2 && told.length <= 3, `told ${told.length} times of one trouble`);
    await clock.advance(3_600_000);
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined, undefined]);
    assert.equal(schemas.notReady, undefined);
  }
});

test('readiness stays down while the registry is asked again, and does not fall for an id that it does not know', async () => {
  const clock = new ManualClock();
  const answers = [1, 2].map(() => Promise.withResolvers<RegisteredSchema>());
  const asked: number[] = [];
  const schemaById = async (id: number) => {
    asked.push(id);
    if (id === 7) throw unknown;
    return answers[asked.length - 1]!.promise;
  };
  const schemas = new SchemaIds({ registry: { schemaById }, clock, onFailure: () => undefined });
  const known = schemas.check(1, never);
  answers[0]!.reject(new SchemaRegistryError('registry-unreachable', 'away.'));
  await clock.advance(60_000);
  assert.deepEqual(asked, [1, 1]);
  assert.match(schemas.notReady!, /registry-unreachable/);
  answers[1]!.resolve(json);
  await known;
  assert.equal(schemas.notReady, undefined);
  const stranger = schemas.check(7, never);
  await clock.advance(0);
  assert.equal(asked.length, 3);
  assert.equal(schemas.notReady, undefined);
  await clock.advance(60_000);
  assert.equal((await stranger)?.cause, 'unknown-schema-id');
});

test('another format is a problem of the record', async () => {
  assert.equal((await ids({ type: 'AVRO', schema: '"string"' }).ids.check(4, never))?.cause, 'schema-type-unsupported');
});
