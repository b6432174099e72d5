import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circles, importGraph } from './imports.ts';
import { isTest } from './tree.ts';

/** An app's stages from the top down; stages of one line are neighbours. What is in no folder is read by all. */
const STAGES = {
  'apps/producer': [['commands'], ['run'], ['export'], ['genesys', 'pipeline'], ['stage']],
  'apps/consumer': [['commands'], ['control'], ['route'], ['exact'], ['group', 'forward']],
} as const;

const graph = importGraph();

test('circles are found, of one file, of two, and through a third', () => {
  const tangled = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['a']],
    ['d', ['d']],
    ['e', ['a']],
  ]);
  assert.deepEqual(circles(tangled), [['d'], ['a', 'b', 'c']]);
  assert.ok(graph.get('tools/src/tidy/imports.test.ts')?.includes('tools/src/tidy/imports.ts'));
});

test('no circle of imports between files, types included', () => {
  assert.deepEqual(circles(graph), []);
});

for (const [app, stages] of Object.entries(STAGES)) {
  const rankOf = new Map<string, number>(stages.flatMap((line, rank) => line.map((name) => [name, rank] as const)));
  const stageOf = (file: string) => new RegExp(`^${app}/src/([a-z-]+)/`).exec(file)?.[1];
  const product = [...graph].filter(([file]) => !isTest(file));
  const arrows = product.flatMap(([file, targets]) =>
    targets.flatMap((target) => {
      const [from, to] = [stageOf(file), stageOf(target)];
      return from === undefined || to === undefined || from === to ? [] : [{ file, target, from, to }];
    }),
  );

  test(`${app}: stages import downwards only: ${stages.map((line) => line.join(', ')).join(' > ')}`, () => {
    const upwards = arrows.filter(({ from, to }) => rankOf.get(to)! < rankOf.get(from)!);
    assert.deepEqual(
      upwards.map(({ file, target }) => `${file} -> ${target}`),
      [],
    );
  });

  test(`${app}: every folder is a stage, and neighbours do not import each other in a circle`, () => {
    const folders = new Set([...graph.keys()].map(stageOf).filter((name) => name !== undefined));
    assert.deepEqual([...folders].sort(), [...rankOf.keys()].sort());
    const between = Map.groupBy(arrows, ({ from }) => from);
    assert.deepEqual(circles(new Map([...between].map(([from, list]) => [from, list.map(({ to }) => to)]))), []);
  });
}
