import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read } from './tree.ts';

/** The cells of a table's row, by how its first one begins. */
function row(document: string, name: string): number[] {
  const line = read(document)
    .split('\n')
    .find((one) => one.startsWith(`| ${name}`));
  assert.ok(line, `${document} has no row ${name}`);
  return line
    .split('|')
    .slice(2)
    .map((cell) => Number.parseFloat(cell.replaceAll(',', '')));
}

test('the figures of the README are those of the pages of benchmarks', () => {
  const [publish, link, java] = ['publish', 'publish-http', 'java-jackson-stream'].map((name) =>
    row('docs/benchmarks.md', `${name} |`),
  );
  const [http, loop, file] = ['`http`, a target that answers at once', 'a bare loop of kafkajs', '`file`'].map((name) =>
    row('docs/benchmarks-consumer.md', name),
  );
  const told = read('README.md').replaceAll(',', '');
  const takes =
    /publish` of them takes (\S+) s (\S+) s from a link at a peak of (\S+) MB: (\S+) times as fast as the Python pipeline and (\S+) times/;
  assert.deepEqual(
    takes.exec(told)?.slice(1).map(Number),
    [publish![0], link![0], publish![4], publish![5], Number((publish![0]! / java![0]!).toFixed(2))],
    'see docs/benchmarks.md',
  );
  const brings =
    /run` brings (\d+) records of 2 kB a second to an HTTP target that answers at once (\S+) of a bare loop and (\d+) to a file at a peak of (\d+) MiB/;
  assert.deepEqual(
    brings.exec(told)?.slice(1).map(Number),
    [http![0], Number((http![0]! / loop![0]!).toFixed(2)), file![0], Math.max(http![2]!, file![2]!)],
    'see docs/benchmarks-consumer.md',
  );
});
