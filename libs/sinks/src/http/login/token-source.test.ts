import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { redactText } from '@genesys-kafka/runtime';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { deliveries } from '../../../fixtures/deliveries.ts';
import { httpTarget, type Told } from '../../../fixtures/http-target.ts';
import { createHttpSink } from '../http-sink.ts';

const never = new AbortController().signal;

/** A login that counts its tokens, and a target that takes one of them. */
async function setUp(t: TestContext, more: object = {}) {
  let issued = 0;
  const state = { valid: 'issued-1', login: undefined as Told | undefined, refusal: 401, expiresIn: 3600 as unknown };
  const login = await httpTarget(t, () => {
    if (state.login) return state.login;
    issued += 1;
    return {
      status: 200,
      body: { access_token: `issued-${issued}`, token_type: 'Bearer', expires_in: state.expiresIn },
    };
  });
  const target = await httpTarget(t, ({ headers }) => ({
    status: headers.authorization === `Bearer ${state.valid}` ? 200 : state.refusal,
  }));
  const clock = new ManualClock();
  const auth = {
    type: 'oauth',
    tokenUrl: `${login.origin}/oauth/token?tenant=1`,
    clientId: 'id 1',
    clientSecret: 'c4n4ry/secret',
    credentials: 'header',
    ...more,
  } as const;
  const sink = createHttpSink({ name: 'crm', url: `${target.origin}/in`, auth, timeoutMs: 60_000 }, clock);
  t.after(async () => sink.close());
  const deliver = async () => (await sink.deliver(deliveries(1), never))[0]!;
  return { state, login, target, clock, sink, deliver };
}

test('many deliveries at once share one login; client and secret are form-encoded in Basic', async (t) => {
  const { login, target, deliver } = await setUp(t, { scope: 'a b', audience: 'https://crm.example' });
  const outcomes = await Promise.all(Array.from({ length: 20 }, deliver));
  assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
  assert.deepEqual([login.seen.length, target.seen.length], [1, 20]);
  const [asked] = login.seen;
  assert.deepEqual([asked?.method, asked?.path], ['POST', '/oauth/token?tenant=1']);
  assert.equal(asked?.headers.authorization, `Basic ${Buffer.from('id+1:c4n4ry%2Fsecret').toString('base64')}`);
  assert.equal(asked.body.toString(), 'grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fcrm.example');
});

test('client and secret may go in the body', async (t) => {
  const { login, deliver } = await setUp(t, { credentials: 'body' });
  await deliver();
  assert.equal(login.seen[0]?.headers.authorization, undefined);
  assert.match(login.seen[0]!.body.toString(), /client_id=id\+1&client_secret=c4n4ry%2Fsecret$/);
});

test('a token is fetched anew before it ends, and the old one serves where that fails', async (t) => {
  const { state, login, clock, deliver } = await setUp(t);
  await deliver();
  await clock.advance(3_500_000);
  assert.equal((await deliver()).kind, 'delivered');
  assert.equal(login.seen.length, 1);
  await clock.advance(50_000);
  state.login = { status: 400, body: { error: 'invalid_client' } };
  assert.equal((await deliver()).kind, 'delivered', 'the old token holds for another 50 s');
  await deliver();
  assert.equal(login.seen.length, 2, 'the login is not asked with each delivery');
  state.login = undefined;
  state.valid = 'issued-2';
  await clock.advance(11_000);
  assert.equal((await deliver()).kind, 'delivered');
  assert.equal(login.seen.length, 3);
});

test('a token that the target refuses is renewed once for all who had it, then the answer stands', async (t) => {
  const { state, login, target, deliver } = await setUp(t);
  await deliver();
  state.valid = 'issued-2';
  const outcomes = await Promise.all(Array.from({ length: 10 }, deliver));
  assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
  assert.equal(login.seen.length, 2);
  state.valid = 'none';
  target.seen.length = 0;
  const outcome = await deliver();
  assert.ok(outcome.kind === 'misconfigured' && outcome.failure.cause === 'http-401');
  assert.equal(target.seen.length, 2, 'one more request, no more');
});

test('a right that was given after the token was issued is in the next one: a 403 is worth a login, once', async (t) => {
  const { state, login, target, deliver } = await setUp(t);
  await deliver();
  Object.assign(state, { valid: 'issued-2', refusal: 403 });
  assert.equal((await deliver()).kind, 'delivered');
  assert.equal(login.seen.length, 2);
  state.valid = 'none';
  target.seen.length = 0;
  const outcome = await deliver();
  assert.ok(outcome.kind === 'misconfigured' && outcome.failure.cause === 'http-403');
  assert.deepEqual([login.seen.length, target.seen.length], [3, 2]);
});

test('a login that refuses, or does not answer, opens the circuit: no record is to blame, and no secret is told', async (t) => {
  const { state, login, target, clock, sink, deliver } = await setUp(t);
  const on = async (told: Told) => {
    state.login = told;
    const before = login.seen.length;
    const over = new AbortController();
    const delivering = deliver().finally(() => over.abort());
    while (!over.signal.aborted) {
      await setImmediate();
      if (clock.sleeping > 0) await clock.advance(5000);
    }
    const outcome = await delivering;
    assert.ok(outcome.kind === 'misconfigured', JSON.stringify(outcome));
    assert.doesNotMatch(outcome.failure.reason, /c4n4ry|issued-|personal/);
    return [
      outcome.failure.cause,
      outcome.failure.reason.replace(/127[\d.:]+/, 'HOST').replace(/\. .*/, '.'),
      login.seen.length - before,
    ];
  };
  assert.deepEqual(await on({ status: 401, body: { error: 'invalid_client', error_description: 'personal' } }), [
    'login-refused',
    'HOST refused the login (401, invalid_client).',
    1,
  ]);
  assert.deepEqual(await on({ status: 302, headers: { location: 'http://127.0.0.1:9/' } }), [
    'login-refused',
    'HOST refused the login (302).',
    1,
  ]);
  const odd = 'HOST answered 200 without a bearer token.';
  for (const body of [
    '<html>personal</html>',
    {},
    { access_token: 'two words' },
    { access_token: 'a', token_type: 'mac' },
  ])
    assert.deepEqual(await on({ status: 200, body }), ['login-refused', odd, 1]);
  for (const status of [429, 500, 503])
    assert.deepEqual(await on({ status }), ['login-unavailable', `HOST answered ${status} to the login.`, 3]);
  assert.equal(target.seen.length, 0, 'nothing is sent without a token');
  state.login = { status: 401, body: { error: 'invalid_client' } };
  await assert.rejects(sink.check(never), { code: 'sink-login-refused', retry: false });
  state.login = undefined;
  await sink.check(never);
  assert.equal((await deliver()).kind, 'delivered');
});

test('the word for a bearer token is taken as logins write it', async (t) => {
  const { state, deliver } = await setUp(t);
  for (const token_type of ['Bearer', 'bearer', 'BEARER', 'BearerToken', undefined]) {
    state.valid = `by-${token_type}`;
    state.login = { status: 200, body: { access_token: state.valid, token_type, expires_in: '3599' } };
    assert.equal((await deliver()).kind, 'delivered', token_type);
  }
});

test('an odd expires_in is 300 s; a token that was given out is hidden in logs; an abort ends the wait', async (t) => {
  const { state, login, clock, sink, deliver } = await setUp(t);
  state.expiresIn = 'soon';
  await deliver();
  await clock.advance(260_000);
  await deliver();
  assert.equal(login.seen.length, 1);
  state.valid = 'issued-2';
  await clock.advance(20_000);
  await deliver();
  assert.equal(login.seen.length, 2);
  assert.doesNotMatch(redactText('a issued-1 and a issued-2'), /issued-/);
  const abort = new AbortController();
  abort.abort(new Error('stopping'));
  await assert.rejects(sink.deliver(deliveries(1), abort.signal), /stopping/);
});
