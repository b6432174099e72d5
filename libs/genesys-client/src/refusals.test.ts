import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { CLIENT_SECRET, genesys, json, never } from '../fixtures/genesys-server.ts';
import { GenesysError } from './errors.ts';

test('a job that Genesys no longer knows, and a cursor it refuses, ask for a new job', async () => {
  let status = 404;
  await using stand = await genesys((response) => json(response, status, { code: 'not.found' }));
  const { bulkArchive, detailsJobs } = stand.client;
  const gone = (error: unknown) => {
    assert.ok(error instanceof GenesysError, String(error));
    assert.equal(error.code, 'job-gone');
    assert.equal(error.scope, 'source');
    assert.match(error.message, new RegExp(`job-7 \\(${status}, not.found\\).*new job`));
    return true;
  };
  for (status of [404, 400, 410]) {
    await assert.rejects(detailsJobs.status('job-7', never), gone);
    await assert.rejects(detailsJobs.page('job-7', { pageSize: 10 }, never), gone);
    await assert.rejects(bulkArchive.status('job-7', never), gone);
  }
  status = 400;
  await assert.rejects(detailsJobs.page('job-7', { cursor: 'cursor-canary', pageSize: 10 }, never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'cursor-refused');
    assert.equal(error.scope, 'source');
    return true;
  });
});

test('a bad request tells Genesys’ code and template, not the filled-in text', async () => {
  await using stand = await genesys((response) =>
    json(response, 400, {
      code: 'bad.request',
      message: 'Value +4930123456 is no number',
      messageWithParams: 'Value {value} is\nno number',
      messageParams: { value: '+4930123456' },
    }),
  );
  await assert.rejects(stand.client.detailsJobs.submit({ interval: 'x' }, never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'submit-refused');
    assert.match(error.message, /400, bad\.request: Value \{value\} is no number/);
    assert.doesNotMatch(inspect(error, { depth: 9 }), /4930123456/);
    return true;
  });
});

test('the id of a call is told where it is one; anything else in its header is nobody’s id, and not told', async () => {
  const told = async (...ids: string[]) => {
    const header = { 'inin-correlation-id': ids.length === 1 ? ids[0]! : ids };
    await using stand = await genesys((response) => json(response, 400, { code: 'bad.request' }, header as never));
    const error = await stand.client.detailsJobs.submit({ interval: 'x' }, never).catch((one: unknown) => one);
    assert.ok(error instanceof GenesysError);
    const shown = `${error.message} ${inspect(error, { depth: 9 })} ${JSON.stringify(stand.events)}`;
    return { shown, id: error.details.correlationId };
  };
  for (const id of ['3a1b-77.c:d_9', 'x'.repeat(100)]) {
    const { id: found, shown } = await told(id);
    assert.equal(found, id);
    assert.ok(shown.includes(`[ININ-Correlation-Id ${id}]`) && shown.includes(`"correlationId":"${id}"`), shown);
  }
  for (const ids of [['canary of a person'], ['x', 'canary'], [`canary-${'x'.repeat(100)}`], ['canary<b>']]) {
    const { id: found, shown } = await told(...ids);
    assert.equal(found, undefined, String(ids));
    assert.doesNotMatch(shown, /canary/);
  }
});

test('a query over Genesys’ own limit is not sent', async () => {
  await using stand = await genesys((response) => json(response, 202, { jobId: 'j' }));
  await assert.rejects(stand.client.detailsJobs.submit({ a: 'x'.repeat(600_000) }, never), { code: 'bad-request' });
  assert.equal(stand.seen.length, 0);
});

test('redirects are not followed, and an address that is not the API is said to be so', async () => {
  await using stand = await genesys((response, nth) => {
    if (nth === 0) response.writeHead(302, { location: 'http://127.0.0.1:1/?a=b' }).end();
    else json(response, 404, {});
  });
  const address = (pattern: RegExp) => (error: unknown) =>
    error instanceof GenesysError &&
    error.code === 'bad-answer' &&
    pattern.test(error.message) &&
    error.message.includes('Check that the address');
  await assert.rejects(stand.client.availability(never), address(/redirect \(302\)/));
  await assert.rejects(stand.client.availability(never), address(/404, this address knows no such call/));
});

test('no secret, token, cursor or link gets into an error or an event, whatever goes wrong', async () => {
  const link = 'https://files.example/a.zip?X-Amz-Signature=link-canary';
  const canaries = [CLIENT_SECRET, 'client-id-canary', 'token-canary', 'cursor-canary', 'link-canary', 'echo-canary'];
  canaries.push(Buffer.from(`client-id-canary:${CLIENT_SECRET}`).toString('base64'));
  const faults: ((response: Parameters<typeof json>[0]) => void)[] = [
    ...[301, 400, 401, 403, 404, 409, 422, 429, 500].map(
      (status) => (response: Parameters<typeof json>[0]) =>
        // A server that echoes what it was sent.
        json(response, status, { code: 'x', message: 'echo-canary', error: 'echo canary', description: 'echo-canary' }),
    ),
    (response) => response.socket?.resetAndDestroy(),
    (response) => response.end('echo-canary'),
    (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('echo-canary'),
    (response) => json(response, 200, [{ status: 'COMPLETED', resultsUrl: link }]),
    (response) => response.socket?.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxecho-canary\r\n'),
    (response) => response.socket?.end('echo-canary\r\n\r\n'),
    (response) => response.writeHead(200, { 'content-length': '99' }).write('{"a":"echo-canary'),
  ];
  const limits = { retryAttempts: 1, retryMaxElapsedMs: 10_000, bodyIdleTimeoutMs: 50 };
  const told: string[] = [];
  const tell = (error: unknown) => told.push(inspect(error, { depth: 12, showHidden: true }), JSON.stringify(error));
  for (const fault of faults) {
    await using api = await genesys(fault, {
      ...limits,
      logIn: (response) => json(response, 200, { access_token: 'token-canary' }),
    });
    await api.client.detailsJobs.page('j', { cursor: 'cursor-canary', pageSize: 5 }, never).catch(tell);
    await api.client.bulkArchive.status('j', never).catch(tell);
    await using login = await genesys(() => undefined, { ...limits, logIn: fault });
    await login.client.availability(never).catch(tell);
    told.push(JSON.stringify([api.events, login.events]));
  }
  // Both calls and the login fail under every fault.
  assert.equal(told.length, faults.length * 7);
  for (const canary of canaries) {
    assert.ok(!told.some((text) => text.includes(canary)), `${canary} leaked: ${told.find((t) => t.includes(canary))}`);
  }
});

test('a refusal for want of permissions tells which ones its answer names, and nothing else of it', async () => {
  let code = 'missing.division.permission';
  const message = 'Anna Muster, user:4930123456, is missing the following permission(s): [job:view, a:b:c]';
  await using stand = await genesys((response) => json(response, 403, { code, message }));
  const told = async () => {
    const error: unknown = await stand.client.bulkArchive.status('job-7', never).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'permission-missing');
    assert.doesNotMatch(inspect(error, { depth: 9 }), /Muster|4930123456/);
    return error.message;
  };
  assert.match(await told(), /it takes the permission job:view and job:manage\. Its answer names job:view, a:b:c\./);
  code = 'not.authorized';
  assert.match(await told(), /job:manage\. Give the OAuth client/);
});
