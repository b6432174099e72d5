import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, type DeadLetter } from '@genesys-kafka/topics';
import type { LetterAction } from '../actions/letter-actions.ts';
import { assertNamesKnown } from './known-names.ts';
import { countDeadLetters, listDeadLetters, showDeadLetter } from './letter-report.ts';
import { Letters } from './letters.ts';
import type { LetterMarks, StoredDeadLetter } from './stored-dead-letter.ts';

function stored(id: string, more: Partial<DeadLetter> = {}, rest: Partial<StoredDeadLetter> = {}): StoredDeadLetter {
  const deadLetter: DeadLetter = {
    ...{ framing: 'none', stage: 'deliver', cause: 'http-422', reason: 'refused', httpStatus: 422, timestampMs: 0 },
    ...{ origin: { topic: 'd', partition: 2, offset: 7n }, route: 'crm', attempts: 3 },
    ...more,
  };
  const place = { partition: 1, offset: 9n };
  return { id, deadLetter, key: Buffer.from(id), place, value: () => null, headers: () => ({}), ...rest };
}

function lettersOf(all: readonly StoredDeadLetter[], marked: (marks: LetterMarks) => void = () => undefined): Letters {
  const scan = async function* () {
    for (const one of all) yield await Promise.resolve(one);
  };
  return new Letters([{ unreadable: 4, readMarks: async (marks) => marked(marks), scan }]);
}

const action = (id: string, state: LetterAction['state'], second: number): LetterAction => ({
  ...{ v: 1, id, action: 'replay', state, by: 'ann@host', filter: {} },
  at: new Date(second * 1000).toISOString(),
});

test('a list is as long as it may be, and says whether there is more', async () => {
  const letters = lettersOf([stored('a'), stored('b'), stored('c')]);
  const listed = async (limit: number) => {
    const { letters: found, more } = await listDeadLetters(letters, {}, limit);
    return [found.map(({ id }) => id).join(''), more];
  };
  assert.deepEqual(
    [await listed(2), await listed(3), await listed(4)],
    [
      ['ab', true],
      ['abc', false],
      ['abc', false],
    ],
  );
});

test('what a list tells of a dead letter: where it lies and came from, what became of it, and nothing of its value', async () => {
  const source: Partial<DeadLetter> = { origin: { source: 'job-1', ordinal: 4 }, stage: 'parse', timestampMs: 1000 };
  const { letters } = await listDeadLetters(
    lettersOf(
      [stored('a\n'), stored('b', source, { key: null, place: { object: 'dl/x.gz' } })],
      ({ replayed }) => void replayed.set('b', 'then'),
    ),
    {},
    9,
  );
  const same = { framing: 'none', cause: 'http-422', reason: 'refused', httpStatus: 422, route: 'crm', attempts: 3 };
  assert.deepEqual(letters, [
    {
      ...{ id: 'a\n', key: 'a\\n', partition: 1, offset: '9', ...same, stage: 'deliver' },
      ...{ timestamp: '1970-01-01T00:00:00.000Z', origin: { topic: 'd', partition: 2, offset: '7' } },
    },
    {
      ...{ id: 'b', object: 'dl/x.gz', ...same, stage: 'parse' },
      ...{ timestamp: '1970-01-01T00:00:01.000Z', origin: { source: 'job-1', ordinal: 4 }, replayedAt: 'then' },
    },
  ]);
});

test('one is shown with its headers and its value: text without its frame where it is text, all its bytes where not', async () => {
  const odd = Buffer.concat([Buffer.from('﻿{'), Buffer.from([0xff])]);
  const letters = lettersOf([
    stored('text', { framing: 'confluent' }, { value: () => frame(7, Buffer.from('﻿{"ö":1}')) }),
    stored('bytes', {}, { value: () => odd, headers: () => ({ x: Buffer.from('a\u001b[2J') }) }),
    stored('none'),
  ]);
  assert.deepEqual((await showDeadLetter(letters, 'text')).value, { text: '﻿{"ö":1}' });
  const { value, headers, id } = await showDeadLetter(letters, 'bytes');
  assert.deepEqual([value, headers, id], [{ base64: odd.toString('base64') }, { x: 'a\\u001b[2J' }, 'bytes']);
  assert.equal((await showDeadLetter(letters, 'none')).value, null);
  await assert.rejects(showDeadLetter(letters, 'x'.repeat(500)), {
    code: 'dead-letter-missing',
    message: /no dead letter x{1,200}\S{0,3}\. /,
  });
});

test('figures count each by route, stage and cause; of what was done the last ten, each by its last word', async () => {
  const all = [stored('a'), stored('b', { cause: 'x' }), stored('c', { stage: 'route' }), stored('d')];
  const { route: _, ...producers } = all[3]!.deadLetter;
  const actions = [
    ...Array.from({ length: 12 }, (_one, index) => action(`old-${index}`, 'ended', index)),
    ...[action('first', 'begun', 100), action('first', 'failed', 101)],
    // The other store's words come later.
    ...[action('first', 'failed', 101), action('first', 'begun', 100), action('last', 'begun', 200)],
  ];
  const letters = lettersOf([...all.slice(0, 3), { ...all[3]!, deadLetter: producers }], (marks) => {
    marks.replayed.set('a', 'then').set('gone', 'then');
    marks.actions.push(...actions);
  });
  const { actions: told, ...figures } = await countDeadLetters(letters, {});
  assert.deepEqual(figures, {
    ...{ letters: 4, replayed: 1, unreadable: 4, byRoute: { crm: 3, producer: 1 } },
    ...{ byStage: { deliver: 3, route: 1 }, byCause: { 'http-422': 3, x: 1 } },
  });
  assert.deepEqual(
    told.map(({ id, state }) => `${id} ${state}`),
    ['last begun', 'first failed', ...[11, 10, 9, 8, 7, 6, 5, 4].map((nth) => `old-${nth} ended`)],
  );
});

test('a name that nothing has is said with those that there are; one that may come at any time, or the only one to ask for, is not', async () => {
  const letters = lettersOf([stored('a', { route: 'old' }), stored('b', { cause: 'odd\u001b' })]);
  const known = async (route: string | undefined, cause: string | undefined, found = letters) =>
    assertNamesKnown(found, { route, cause }, ['crm', 'unrouted']).then(
      () => 'known',
      (error: unknown) => (error as Error).message.replace(/\. (?!There).*/, '.'),
    );
  for (const [route, cause] of [
    [undefined, undefined],
    ['crm', undefined],
    ['old', undefined],
    ['crm', 'http-500'],
    [undefined, 'http-422'],
    ['old', 'http-422'],
  ])
    assert.equal(await known(route, cause), 'known', `${route} ${cause}`);
  const routes = 'No dead letter is of route "cmr". There are: crm, old, unrouted.';
  assert.equal(await known('cmr', undefined), routes);
  assert.equal(await known('cmr', 'http-422'), routes);
  assert.equal(await known('cmr', 'http-500'), routes);
  const causes = 'No dead letter is of cause "http-9". There are: http-422, odd\\u001b.';
  assert.equal(await known('crm', 'http-9'), causes);
  assert.equal(await known(undefined, 'http-9'), causes);
  assert.equal(await known('crm', 'xhttp-500', letters), causes.replace('http-9', 'xhttp-500'));
  assert.equal(await known('crm', 'http-5000', letters), causes.replace('http-9', 'http-5000'));
  const one = lettersOf([stored('a')]);
  assert.equal(await known('crm', 'http-9', one), 'No dead letter is of cause "http-9". There are: http-422.');
  // What is known anyway is not looked for.
  const unread = { unreadable: 0, readMarks: async () => assert.fail('read'), scan: () => assert.fail('read') };
  for (const [route, cause] of [
    [undefined, undefined],
    ['crm', undefined],
    ['unrouted', 'http-500'],
    [undefined, 'http-100'],
  ])
    assert.equal(await known(route, cause, new Letters([unread])), 'known');
  const none = 'No dead letter is of cause "http-9". There is none at all.';
  assert.equal(await known('crm', 'http-9', lettersOf([])), none);
});
