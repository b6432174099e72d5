import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLetter } from '@genesys-kafka/topics';
import fc from 'fast-check';
import { passes } from './letter-filter.ts';
import type { LetterFilter, StoredDeadLetter } from './stored-dead-letter.ts';

interface Facts {
  readonly route: string | undefined;
  readonly stage: DeadLetter['stage'];
  readonly cause: string;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly replayedAt: string | undefined;
}

function stored({ route, stage, cause, timestampMs, key, replayedAt }: Facts): StoredDeadLetter {
  const deadLetter: DeadLetter = {
    ...{ framing: 'none', stage, cause, reason: 'x', timestampMs, attempts: 1 },
    ...{ origin: { topic: 'd', partition: 0, offset: 0n }, ...(route === undefined ? {} : { route }) },
  };
  return {
    ...{ id: 'i', deadLetter, key: key === null ? null : Buffer.from(key), place: { object: 'o' } },
    ...{ value: () => null, headers: () => ({}), ...(replayedAt === undefined ? {} : { replayedAt }) },
  };
}

const usual: Facts = {
  route: 'crm',
  stage: 'deliver',
  cause: 'http-422',
  timestampMs: 1000,
  key: 'ö',
  replayedAt: undefined,
};

test('each thing that is asked for is asked alone; a moment is within from the first on, and before the last', () => {
  for (const [filter, more, expected] of [
    [{}, {}, true],
    [{ id: 'i' }, {}, true],
    [{ id: 'j' }, {}, false],
    [{ route: 'crm' }, {}, true],
    [{ route: 'crm' }, { route: 'mail' }, false],
    [{ route: 'producer' }, { route: undefined }, true],
    [{ route: 'producer' }, {}, false],
    [{ stage: 'deliver' }, {}, true],
    [{ stage: 'deliver' }, { stage: 'route' }, false],
    [{ cause: 'http-422' }, {}, true],
    [{ cause: 'http-42' }, {}, false],
    [{ sinceMs: 1000 }, {}, true],
    [{ sinceMs: 1001 }, {}, false],
    [{ untilMs: 1001 }, {}, true],
    [{ untilMs: 1000 }, {}, false],
    [{ key: 'ö' }, {}, true],
    [{ key: 'o' }, {}, false],
    [{ key: '' }, { key: null }, false],
    [{ state: 'open' }, {}, true],
    [{ state: 'open' }, { replayedAt: '' }, false],
    [{ state: 'replayed' }, { replayedAt: '' }, true],
    [{ state: 'replayed' }, {}, false],
    [{ where: () => true }, {}, true],
    [{ where: () => false }, {}, false],
  ] as const satisfies readonly (readonly [LetterFilter, Partial<Facts>, boolean])[])
    assert.equal(passes(stored({ ...usual, ...more }), filter), expected, JSON.stringify([filter, more]));
});

test('law: several things that are asked for are all of them, and the record is looked at last', () => {
  const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
  const route = fc.constantFrom('crm', 'producer');
  const stage = fc.constantFrom('deliver' as const, 'route' as const);
  const word = fc.constantFrom('a', 'b');
  const ms = fc.nat({ max: 3 });
  const facts = fc.record({
    ...{ route: some(route), stage, cause: word, timestampMs: ms },
    ...{ key: fc.option(word), replayedAt: some(fc.constant('then')) },
  });
  const filter = fc.record({
    ...{ route: some(route), stage: some(stage), cause: some(word), sinceMs: some(ms), untilMs: some(ms) },
    ...{
      key: some(word),
      state: some(fc.constantFrom('open' as const, 'replayed' as const)),
      where: some(fc.boolean()),
    },
  });
  fc.assert(
    fc.property(facts, filter, (one, { where: verdict, ...asked }) => {
      const letter = stored(one);
      let looked = 0;
      const where = () => (looked += 1) > 0 && verdict === true;
      const each = Object.entries(asked).every(([name, value]) => passes(letter, { [name]: value }));
      assert.equal(passes(letter, verdict === undefined ? asked : { ...asked, where }), each && verdict !== false);
      assert.equal(looked, each && verdict !== undefined ? 1 : 0);
    }),
  );
});
