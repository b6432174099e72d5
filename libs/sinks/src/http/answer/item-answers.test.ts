import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '@genesys-kafka/delivery';
import { ItemAnswers, type ItemAnswerOptions } from './item-answers.ts';

const BY_KEY = { items: '/results', status: '/status', key: '/id' };
const BY_ORDER = { items: '', status: '/index/status' };

const delivery = (ordinal: number): Delivery => ({
  route: 'r',
  body: Buffer.from('{}'),
  key: 'c',
  idempotencyKey: `job:${ordinal}`,
  recordVersion: 1n,
  contentType: 'application/json',
  headers: {},
});

/** Of a target whose answers have been read before. */
function settle(options: ItemAnswerOptions, answer: unknown): string[] {
  const answers = new ItemAnswers('crm', options, 3);
  const items = [1, 2, 3].map((ordinal) => ({ id: `job:${ordinal}`, status: 200, index: { status: 200 } }));
  said(answers, options === BY_ORDER ? items : { results: items });
  return said(answers, answer);
}

function said(answers: ItemAnswers, answer: unknown): string[] {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const batch = [1, 2, 3].map(delivery);
  const outcomes = answers.outcomesOf(text, { batch, httpStatus: 207, retryAfterMs: undefined });
  assert.equal(outcomes.length, 3);
  return outcomes.map((outcome) =>
    outcome.kind === 'delivered' ? 'delivered' : `${outcome.kind} ${outcome.failure.cause}`,
  );
}

test('each item settles its own record, by its key and in any order, as a whole answer would', () => {
  const results = [
    { id: 'job:3', status: 503 },
    { id: 'job:1', status: 201 },
    { id: 'job:2', status: '422' },
    { id: 'job:99', status: 500 },
  ];
  assert.deepEqual(settle(BY_KEY, { results }), ['delivered', 'rejected http-422', 'retry http-503']);
  const status = (one: unknown) => settle(BY_KEY, { results: [{ id: 'job:1', status: one }] })[0];
  assert.equal(status(401), 'misconfigured http-401');
  assert.equal(status(429), 'retry http-429');
  assert.equal(status(302), 'misconfigured http-302');
});

test('by order, where there are as many items as records', () => {
  const item = (status: number) => ({ index: { status } });
  assert.deepEqual(settle(BY_ORDER, [item(200), item(400), item(201)]), [
    'delivered',
    'rejected http-400',
    'delivered',
  ]);
  assert.deepEqual(settle(BY_ORDER, [item(200), item(200)]), Array(3).fill('retry item-missing'));
  assert.deepEqual(settle(BY_ORDER, [item(200), item(200), item(200), item(400)]), Array(3).fill('retry item-missing'));
});

test('what nothing readable is said of is unknown and tried again, never delivered and never dead', () => {
  assert.deepEqual(settle(BY_KEY, { results: [{ id: 'job:2', status: 200 }] }), [
    'retry item-missing',
    'delivered',
    'retry item-missing',
  ]);
  for (const answer of ['', '<html>', '{"results":[{"id":"job:1","stat', '{"results":{}}', '[]', 'null', '{}'])
    assert.deepEqual(settle(BY_KEY, answer), Array(3).fill('retry items-missing'), answer);
  for (const status of [undefined, null, true, 'ok', 99, 600, 200.5, '0200'])
    assert.equal(settle(BY_KEY, { results: [{ id: 'job:1', status }] })[0], 'retry item-unreadable');
  assert.deepEqual(
    settle(BY_KEY, { results: [null, 5, 'x', [], { id: 7, status: 200 }] }),
    Array(3).fill('retry item-missing'),
  );
  const twice = (a: number, b: number) =>
    settle(BY_KEY, {
      results: [
        { id: 'job:1', status: a },
        { id: 'job:1', status: b },
      ],
    })[0];
  assert.equal(twice(200, 422), 'retry item-missing', 'they contradict each other');
  assert.equal(twice(200, 200), 'delivered');
  assert.equal(
    settle({ ...BY_KEY, key: '/__proto__' }, { results: [{ id: 'job:1', status: 200 }] })[0],
    'misconfigured item-missing',
  );
});

test('while no answer has told of any record the pointers are wrong: nothing is given up, and the reason says which', () => {
  const item = { id: 'job:1', status: 200 };
  for (const [options, answer, cause] of [
    [BY_KEY, { items: [item] }, 'items-missing'],
    [BY_KEY, { results: { 'job:1': 200 } }, 'items-missing'],
    [BY_KEY, '', 'items-missing'],
    [{ ...BY_KEY, key: '/key' }, { results: [item] }, 'item-missing'],
    [BY_ORDER, [item], 'item-missing'],
    [{ items: '/results', status: '/code' }, { results: [item, item, item] }, 'item-unreadable'],
  ] as const) {
    const answers = new ItemAnswers('crm', options, 3);
    assert.deepEqual(said(answers, answer), Array(3).fill(`misconfigured ${cause}`), cause);
    assert.deepEqual(said(answers, answer), Array(3).fill(`misconfigured ${cause}`), 'a probe is told the same');
  }
  const answers = new ItemAnswers('crm', BY_KEY, 3);
  said(answers, { results: [{ id: 'job:2', status: 503 }] });
  assert.deepEqual(said(answers, {}), Array(3).fill('retry items-missing'), 'they were right before');
});

test('409 is delivered where the rest of the item names our key: the key that it is found by says nothing', () => {
  const status = (more: object) => settle(BY_KEY, { results: [{ id: 'job:1', status: 409, ...more }] })[0];
  assert.equal(status({}), 'rejected http-409');
  assert.equal(status({ existing: 'job:12' }), 'rejected http-409');
  assert.equal(status({ existing: 'job:1' }), 'delivered');
});

test('however deep an item is, and wherever it names our key, as a member too', () => {
  for (const inner of ['"job:1"', '{"at":"/records/job:1"}', '{"job:1":true}']) {
    for (const depth of [0, 200_000]) {
      const deep = `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
      const answer = `{"results":[{"id":"job:1","status":409,"x":${deep}},{"id":"job:2","status":409,"x":${deep}}]}`;
      assert.deepEqual(settle(BY_KEY, answer), ['delivered', 'rejected http-409', 'retry item-missing']);
    }
  }
});

test('Retry-After of the whole answer holds for its items', () => {
  const options = { batch: [delivery(1)], httpStatus: 207, retryAfterMs: 7000 };
  const [outcome] = new ItemAnswers('crm', BY_KEY, 1).outcomesOf('{"results":[{"id":"job:1","status":429}]}', options);
  assert.ok(outcome?.kind === 'retry');
  assert.equal(outcome.retryAfterMs, 7000);
});

test('what is no JSON pointer is refused; escapes are taken off', () => {
  for (const items of ['results', '/a~2', '$.results'])
    assert.throws(() => new ItemAnswers('crm', { ...BY_KEY, items }, 1), { code: 'sink-option-invalid' });
  const options = { items: '/a~1b', status: '/s~0' };
  assert.deepEqual(settle(options, { 'a/b': [1, 2, 3].map(() => ({ 's~': 200 })) }), Array(3).fill('delivered'));
});
