import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DigestTable } from './digest-table.ts';
import { STATE_WORDS } from './packed-state.ts';

/** Few ids, so that they meet again, and alike, so that they share slots. */
const ids = fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, -1, 0x40000000)));
const commands = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ id: ids, value: fc.integer() }) },
    { weight: 2, arbitrary: fc.record({ id: ids }) },
  ),
  { maxLength: 400 },
);

const stateOf = (value: number) => new Int32Array(STATE_WORDS).fill(value);

test('law: it holds what a Map would, through every set and delete, whatever room it grows by', () => {
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 50 }), (all, chunkEntries) => {
      const table = new DigestTable(chunkEntries);
      const model = new Map<string, number>();
      for (const command of all) {
        const [id, name] = [Int32Array.from(command.id), String(command.id)];
        if ('value' in command) {
          table.set(id, stateOf(command.value));
          model.set(name, command.value | 0);
        } else {
          assert.equal(table.delete(id), model.delete(name));
        }
        assert.equal(table.size, model.size);
        assert.equal(table.get(id)?.[STATE_WORDS - 1], model.get(name));
      }
      const held = [...table].map(([id, state]) => [String([...id]), state[0]] as const);
      assert.deepEqual(new Map(held), model);
      assert.equal(held.length, model.size);
      for (const [name, value] of model) {
        assert.equal(table.get(Int32Array.from(name.split(','), Number))?.[0], value);
      }
    }),
  );
});

test('100,000 counted ids take less than 80 bytes each, and all are found', () => {
  const table = new DigestTable();
  const id = (index: number) => Int32Array.of(0, 0x4000, -0x80000000, index);
  for (let index = 0; index < 100_000; index += 1) table.set(id(index), stateOf(index));
  assert(table.bytes < 80 * 100_000, `${table.bytes} bytes`);
  for (let index = 0; index < 100_000; index += 1) assert.equal(table.get(id(index))?.[0], index);
  assert.equal(table.get(id(100_000)), undefined);
});
