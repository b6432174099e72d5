import assert from 'node:assert/strict';
import { test } from 'node:test';
import { citations, links, resolves, type Citation } from './citations.ts';
import { FILES, read } from './tree.ts';

const broken = (all: readonly Citation[]) =>
  all.filter((one) => !resolves(one)).map(({ file, text }) => `${file}: ${text}`);

test('every document that a source names is in the repository, with the rule or heading that is named', () => {
  const all = citations();
  assert.ok(all.length > 10);
  assert.deepEqual(broken(all), []);
});

test('every link of a document, and every file or folder that it names, is there', () => {
  const all = links();
  assert.ok(all.length > 10);
  assert.deepEqual(broken(all), []);
});

test('every metric that a page names is one of the reference', () => {
  const named = (file: string) => read(file).match(/genesys_kafka_[a-z_]*[a-z]/g) ?? [];
  const known = new Set(named('docs/reference/metrics.md'));
  const pages = FILES.filter((file) => file.endsWith('.md'));
  const unknown = pages.flatMap((file) => named(file).flatMap((one) => (known.has(one) ? [] : [`${file}: ${one}`])));
  assert.ok(named('docs/operating.md').length > 10);
  assert.deepEqual(unknown, []);
});

test('a document, a heading or a rule that is not there is found', () => {
  const cite = (document: string, part?: Citation['part']) => ({ file: 'x.ts', text: document, document, part });
  assert.ok(resolves(cite('docs/exactly-once.md', { rule: '3' })));
  for (const lost of [
    cite('design.md'),
    cite('docs/exactly-once.md', { rule: '99' }),
    cite('docs/exactly-once.md', { heading: 'Nothing' }),
    cite('README.md', { anchor: 'nothing' }),
  ]) {
    assert.ok(!resolves(lost));
  }
});
