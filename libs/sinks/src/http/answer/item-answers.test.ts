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

function settle(options: ItemAnswerOptions, answer: unknown, retryAfterMs?: number): string[] {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const batch = [1, 2, 3].map(delivery);
  const outcomes = new ItemAnswers('crm', options, 3).outcomesOf(text, { batch, httpStatus: 207, retryAfterMs });
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
    'retry item-missing',
  );
});

test('409 is delivered where the rest of the item names our key: the key that it is found by says nothing', () => {
  const status = (more: object) => settle(BY_KEY, { results: [{ id: 'job:1', status: 409, ...more }] })[0];
  assert.equal(status({}), 'rejected http-409');
  assert.equal(status({ existing: 'job:12' }), 'rejected http-409');
  assert.equal(status({ existing: 'job:1' }), 'delivered');
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
