import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { scratch } from '../fixtures/scratch.ts';
import { expandSources } from './index.ts';

test('one entry per argument, in order: files, directories, patterns and links', async () => {
  await using dir = await scratch();
  await mkdir(`${dir.dir}/d/deeper`, { recursive: true });
  for (const name of ['d/b.zip', 'd/a.json', 'd/.hidden', 'd/deeper/c.zip', 'x[1].json', 'no*pe.json'])
    await dir.write(name, '[]');
  const at = (name: string) => `${dir.dir}/${name}`;
  const link = 'https://user:canary@files.example/x.zip?X-Amz-Signature=s';
  const args = [
    'd/b.zip',
    'd',
    'd/*.zip',
    `${dir.dir}/d/**/*.zip`,
    link,
    'x[1].json',
    'd/b.zip',
    'none.zip',
    'd/deeper/*.json',
    'no*pe.json',
  ];
  const sources = await expandSources(args, dir.dir);
  const paths = sources.map((source) => ('paths' in source ? source.paths : source.kind));
  assert.deepEqual(paths, [
    [at('d/b.zip')],
    [at('d/a.json'), at('d/b.zip')],
    [at('d/b.zip')],
    [at('d/b.zip'), at('d/deeper/c.zip')],
    'link',
    [at('x[1].json')],
    [at('d/b.zip')],
    [at('none.zip')],
    'none',
    [at('no*pe.json')],
  ]);
  assert.deepEqual(
    sources.map((source) => source.argument),
    args.with(4, 'https://files.example/x.zip'),
  );
  assert.deepEqual(sources[4], { argument: 'https://files.example/x.zip', kind: 'link', link });
  assert.equal(sources[8]?.kind === 'none' && sources[8].error.code, 'archive-missing');
});

test('what cannot be looked at is not passed over: opening it tells why', async () => {
  await using dir = await scratch();
  await mkdir(`${dir.dir}/d`);
  await dir.write('d/a.json', '[]');
  await symlink('/gone/b.json', `${dir.dir}/d/b.json`);
  const [files, pattern] = await expandSources(['d', 'd/*.json'], dir.dir);
  for (const source of [files, pattern]) {
    assert.deepEqual(source && 'paths' in source && source.paths, [`${dir.dir}/d/a.json`, `${dir.dir}/d/b.json`]);
  }
});

test('markers in a directory are passed over, and named', async () => {
  await using dir = await scratch();
  await mkdir(`${dir.dir}/d`);
  for (const name of ['d/_SUCCESS', 'd/_committed_1', 'd/part-0.json']) await dir.write(name, '[]');
  const [source, marker] = await expandSources(['d', 'd/_SUCCESS'], dir.dir);
  assert.deepEqual(source, {
    argument: 'd',
    kind: 'directory',
    paths: [`${dir.dir}/d/part-0.json`],
    passedOver: [`${dir.dir}/d/_SUCCESS`, `${dir.dir}/d/_committed_1`],
  });
  // Who names it means it.
  assert.equal(marker?.kind, 'files');
});

test('an empty directory is that source’s error', async () => {
  await using dir = await scratch();
  const [source] = await expandSources(['.'], dir.dir);
  assert.equal(source?.kind === 'none' && source.error.scope, 'source');
});

test('s3: is for others to look at, unknown schemes are bad usage, and a colon in a file name is not a scheme', async () => {
  assert.deepEqual(await expandSources(['s3://bucket/key'], '/'), [{ argument: 's3://bucket/key', kind: 'objects' }]);
  await assert.rejects(expandSources(['ftp://host/x?sig=1'], '/'), (error: Error) => !error.message.includes('sig'));
  await assert.rejects(expandSources([''], '/'), { code: 'source-unsupported' });
  assert.deepEqual(await expandSources(['day:1.zip'], '/nowhere'), [
    { argument: 'day:1.zip', kind: 'files', paths: ['/nowhere/day:1.zip'] },
  ]);
});
