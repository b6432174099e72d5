import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactText } from '@genesys-kafka/runtime';
import { genesys, json, never } from '../fixtures/genesys-server.ts';
import { GenesysError } from './errors.ts';

test('one 401: the token is refreshed once, by one login for all, and the same requests are made again', async () => {
  await using stand = await genesys((response, _nth, request) => {
    if (request.headers.authorization === 'Bearer token-1') response.writeHead(401).end();
    else json(response, 202, { jobId: 'j' });
  });
  const { detailsJobs } = stand.client;
  const answers = await Promise.all([1, 2, 3, 4].map(async (n) => detailsJobs.submit({ n }, never)));
  assert.deepEqual(answers, Array(4).fill({ jobId: 'j' }));
  assert.equal(stand.logins.length, 2);
  assert.deepEqual(
    stand.seen
      .filter(({ headers }) => headers.authorization === 'Bearer token-2')
      .map(({ body }) => body)
      .sort(),
    ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}'],
  );
});

test('a 401 that comes late, to a token that somebody has renewed since, is no reason to log in again', async () => {
  const renewed = Promise.withResolvers<undefined>();
  await using stand = await genesys((response, nth, { headers }) => {
    const refuse = () => response.writeHead(401).end();
    if (headers.authorization === 'Bearer token-2') {
      renewed.resolve(undefined);
      json(response, 202, { jobId: 'j' });
    } else if (nth === 0) void renewed.promise.then(refuse);
    else refuse();
  });
  const submit = async (n: number) => stand.client.detailsJobs.submit({ n }, never);
  assert.deepEqual(await Promise.all([submit(1), submit(2)]), Array(2).fill({ jobId: 'j' }));
  assert.equal(stand.logins.length, 2);
});

test('of a login that is refused an OAuth error word is told, and nothing else that stands in its place', async () => {
  for (const [error, shown] of [
    ['invalid_client', '401, invalid_client'],
    ['a.b-c', '401, a.b-c'],
    ['of canary', '401'],
    ['canary of', '401'],
    ['canary\n', '401'],
    [`canary${'x'.repeat(60)}`, '401'],
    [{ canary: 1 }, '401'],
  ] as const) {
    const logIn = (response: Parameters<typeof json>[0]) => json(response, 401, { error, error_description: 'canary' });
    await using stand = await genesys((response) => json(response, 200, {}), { logIn });
    await assert.rejects(stand.client.availability(never), (refused: Error & { code: string }) => {
      assert.equal(refused.code, 'login-failed');
      assert.ok(refused.message.includes(`refused the login (${shown}).`), refused.message);
      return true;
    });
    assert.equal(stand.logins[0]!.headers.accept, 'application/json');
  }
});

test('a second 401 is fatal and says what to look at', async () => {
  await using stand = await genesys((response) => json(response, 401, {}, { 'inin-correlation-id': 'corr-1' }));
  await assert.rejects(stand.client.availability(never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'token-refused');
    assert.equal(error.retry, false);
    assert.equal(error.details.correlationId, 'corr-1');
    assert.match(error.message, /401 twice.*same region.*corr-1/);
    return true;
  });
  assert.equal(stand.seen.length, 2);
  assert.equal(stand.logins.length, 2);
});

test('a token is replaced shortly before it ends, not after', async () => {
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { expiresIn: 1000 });
  const ask = async () => stand.client.detailsJobs.status('j', never);
  await ask();
  stand.clock.skip(939_000);
  await ask();
  assert.equal(stand.logins.length, 1);
  stand.clock.skip(2000);
  await ask();
  assert.equal(stand.logins.length, 2);
  assert.equal(stand.seen.at(-1)?.headers.authorization, 'Bearer token-2');
  assert.deepEqual(
    stand.events.flatMap((event) => (event.type === 'token-refreshed' ? [event.reason] : [])),
    ['first', 'expiring'],
  );
});

for (const jumpMs of [-86_400_000, 86_400_000]) {
  test(`a clock that is set by ${jumpMs} ms makes a token neither old at once nor good for a day`, async () => {
    await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { expiresIn: 1000 });
    const ask = async () => stand.client.detailsJobs.status('j', never);
    await ask();
    stand.clock.jump(jumpMs);
    await ask();
    assert.equal(stand.logins.length, 1);
    stand.clock.skip(941_000);
    await ask();
    assert.equal(stand.logins.length, 2);
  });
}

for (const status of [400, 401]) {
  test(`a login refused with ${status} names client id and secret, and is not tried again`, async () => {
    const logIn = (response: Parameters<typeof json>[0]) =>
      json(response, status, { error: 'invalid_client', description: 'client not found: someone' });
    await using stand = await genesys((response) => json(response, 200, {}), { logIn });
    await assert.rejects(stand.client.availability(never), (error) => {
      assert.ok(error instanceof GenesysError);
      assert.equal(error.code, 'login-failed');
      assert.match(error.message, /invalid_client.*client id and the client secret/);
      assert.doesNotMatch(error.message, /someone/);
      return true;
    });
    assert.equal(stand.logins.length, 1);
    assert.equal(stand.seen.length, 0);
  });
}

test('a login host that fails for a while is tried again; the next call logs in anew after a failure', async () => {
  const logIn = (response: Parameters<typeof json>[0], nth: number) => {
    if (nth === 0) json(response, 503, {});
    else if (nth === 1) json(response, 200, { access_token: 'a b\r\nc' });
    else json(response, 200, { access_token: 'fine' });
  };
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { logIn });
  await assert.rejects(stand.client.detailsJobs.status('j', never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'login-unusable');
    assert.match(error.message, /access_token/);
    return true;
  });
  await stand.client.detailsJobs.status('j', never);
  assert.equal(stand.logins.length, 3);
});

test('403 names the permission of the contract, and is not tried again', async () => {
  await using stand = await genesys((response) => json(response, 403, { code: 'not.authorized' }));
  const { availability, bulkArchive, detailsJobs } = stand.client;
  const calls: [Promise<unknown>, RegExp][] = [
    [availability(never), /analytics:conversationDetail:view/],
    [detailsJobs.submit({}, never), /analytics:conversationDetail:view/],
    [detailsJobs.page('j', { pageSize: 100 }, never), /analytics:conversationDetail:view/],
    [bulkArchive.submit({}, never), /analytics:conversation:view and job:manage/],
    [bulkArchive.status('j', never), /job:view/],
  ];
  const refused = async (call: Promise<unknown>, permission: RegExp) =>
    assert.rejects(call, (error) => {
      assert.ok(error instanceof GenesysError);
      assert.equal(error.code, 'permission-missing');
      assert.match(error.message, permission);
      return true;
    });
  await Promise.all(calls.map(([call, permission]) => refused(call, permission)));
  assert.equal(stand.seen.length, calls.length);
});

test('one caller’s abort does not end the login that others wait for', async () => {
  const asked = Promise.withResolvers<undefined>();
  const go = Promise.withResolvers<undefined>();
  const logIn = (response: Parameters<typeof json>[0]) => {
    asked.resolve(undefined);
    void go.promise.then(() => json(response, 200, { access_token: 't' }));
  };
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { logIn });
  const abort = new AbortController();
  const gone = assert.rejects(stand.client.detailsJobs.status('j', abort.signal), /stop/);
  const kept = stand.client.detailsJobs.status('j', never);
  await asked.promise;
  abort.abort(new Error('stop'));
  await gone;
  go.resolve(undefined);
  assert.deepEqual(await kept, { state: 'pending' });
  assert.equal(stand.logins.length, 1);
});

test('a token that was issued shows in no log line, whatever it stands in', async () => {
  // Its one word needs no "Bearer" in front and no name that gives it away.
  const logIn = (response: Parameters<typeof json>[0]) => json(response, 200, { access_token: 'canary-zebra-1' });
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { logIn });
  await stand.client.detailsJobs.status('j', never);
  assert.equal(stand.seen[0]?.headers.authorization, 'Bearer canary-zebra-1');
  assert.equal(redactText('refused canary-zebra-1 (x)'), 'refused [redacted] (x)');
});

const NO_TOKEN: Readonly<Record<string, (response: Parameters<typeof json>[0]) => void>> = {
  'a page of HTML': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sorry</html>'),
  'a redirect': (response) => response.writeHead(302, { location: 'https://portal.example/' }).end(),
  'no such address': (response) => json(response, 404, {}),
  'an encoding nobody asked for': (response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x'),
  'a token that is none': (response) => json(response, 200, { access_token: 17 }),
};

for (const [what, logIn] of Object.entries(NO_TOKEN)) {
  test(`a first login that answers with ${what} ends the run, at once`, async () => {
    await using stand = await genesys((response) => json(response, 200, {}), { logIn });
    await assert.rejects(stand.client.detailsJobs.submit({}, never), (error) => {
      assert.ok(error instanceof GenesysError, String(error));
      assert.deepEqual([error.code, error.scope], ['login-unusable', 'run']);
      assert.match(error.message, /gives no token.*login address/);
      return true;
    });
    assert.equal(stand.logins.length, 1);
  });
}

test('a login that worked before and answers once with HTML is asked again', async () => {
  const logIn = (response: Parameters<typeof json>[0], nth: number) => {
    if (nth === 1) response.end('<html>Sorry</html>');
    else json(response, 200, { access_token: `token-${nth}`, expires_in: 1000 });
  };
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { logIn });
  await stand.client.detailsJobs.status('j', never);
  stand.clock.skip(1_000_000);
  await stand.client.detailsJobs.status('j', never);
  assert.equal(stand.logins.length, 3);
});

test('a login that worked before and gives no token five times in a row ends the run', async () => {
  const logIn = (response: Parameters<typeof json>[0], nth: number) => {
    if (nth === 0) json(response, 200, { access_token: 'token-1', expires_in: 1000 });
    else json(response, nth % 2 === 0 ? 200 : 204, { sorry: true });
  };
  await using stand = await genesys((response) => json(response, 200, { state: 'PENDING' }), { logIn });
  await stand.client.detailsJobs.status('j', never);
  stand.clock.skip(1_000_000);
  await assert.rejects(stand.client.detailsJobs.status('j', never), { code: 'login-unusable', scope: 'run' });
  assert.equal(stand.logins.length, 6);
});
