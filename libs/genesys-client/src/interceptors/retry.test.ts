import assert from 'node:assert/strict';
import { test } from 'node:test';
import { genesys, json, never } from '../../fixtures/genesys-server.ts';
import { GenesysError } from '../errors.ts';

const pending = { state: 'PENDING' };

for (const status of [408, 500, 502, 503, 504]) {
  test(`${status} is tried again with growing, jittered waits`, async () => {
    await using stand = await genesys((response, nth) => json(response, nth < 4 ? status : 200, pending));
    await stand.client.detailsJobs.status('j', never);
    assert.equal(stand.seen.length, 5);
    // Full jitter, with 0.5 drawn each time: half of 500, 1000, 2000, 4000 ms.
    assert.deepEqual(stand.clock.sleeps, [250, 500, 1000, 2000]);
    assert.deepEqual(
      stand.events.flatMap((event) => (event.type === 'retry' ? [`${event.attempt} ${String(event.status)}`] : [])),
      [1, 2, 3, 4].map((attempt) => `${attempt} ${status}`),
    );
  });
}

test('the attempts are capped, the last answer becomes a typed error with the correlation id', async () => {
  await using stand = await genesys((response) => json(response, 502, {}, { 'inin-correlation-id': 'corr-9' }));
  await assert.rejects(stand.client.detailsJobs.submit({}, never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'server-error');
    assert.equal(error.retry, true);
    assert.deepEqual([error.details.status, error.details.correlationId], [502, 'corr-9']);
    assert.match(error.message, /502.*details-jobs submit.*corr-9/);
    return true;
  });
  assert.equal(stand.seen.length, 8);
});

test('the time is capped: no attempt starts after it', async () => {
  await using stand = await genesys((response) => json(response, 503, {}, { 'retry-after': '50' }), {
    retryMaxElapsedMs: 120_000,
  });
  await assert.rejects(stand.client.detailsJobs.status('j', never), { code: 'server-error' });
  assert.deepEqual(stand.clock.sleeps, [50_000, 50_000]);
});

test('a refused request is not made again', async () => {
  await using stand = await genesys((response) => json(response, 422, { code: 'x.y' }));
  await assert.rejects(stand.client.detailsJobs.submit({}, never), { code: 'submit-refused' });
  assert.equal(stand.seen.length, 1);
});

test('a reset before, within and after the headers is tried again, for a submit too', async () => {
  await using stand = await genesys((response, nth) => {
    if (nth === 0) response.socket?.resetAndDestroy();
    else if (nth === 1) response.socket?.end('HTTP/1.1 200 OK\r\ncontent-le');
    else if (nth === 2) response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"jobId"');
    else if (nth === 3) response.socket?.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"jobId"\r\n');
    else if (nth === 4) response.socket?.end('nonsense');
    else json(response, 202, { jobId: 'j' });
  });
  assert.deepEqual(await stand.client.detailsJobs.submit({}, never), { jobId: 'j' });
  assert.equal(stand.seen.length, 6);
  assert.deepEqual(
    stand.events.flatMap((event) => (event.type === 'retry' ? [event.code] : [])),
    Array(5).fill('connection-failed'),
  );
});

test('a host that does not exist is given up after a few attempts, by name', async () => {
  await using stand = await genesys(() => undefined, {
    loginUrl: 'https://login.no-such-region.invalid',
    apiUrl: 'https://api.no-such-region.invalid',
  });
  await assert.rejects(stand.client.availability(never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'host-not-found');
    assert.match(error.message, /login\.no-such-region\.invalid was not found.*region/);
    return true;
  });
  assert.equal(stand.clock.sleeps.length, 2);
});

test('a port where nobody listens is given up early if it never answered, later if it had', async () => {
  await using nobody = await genesys(() => undefined, { loginUrl: 'http://127.0.0.1:1' });
  await assert.rejects(nobody.client.availability(never), (error) => {
    assert.ok(error instanceof GenesysError);
    assert.equal(error.code, 'connection-failed');
    assert.match(error.message, /ECONNREFUSED/);
    return true;
  });
  assert.equal(nobody.clock.sleeps.length, 2);

  await using flaky = await genesys((response, nth) => {
    if (nth === 0) json(response, 200, pending);
    else response.socket?.destroy();
  });
  await flaky.client.detailsJobs.status('j', never);
  await assert.rejects(flaky.client.detailsJobs.status('j', never), { code: 'connection-failed' });
  assert.equal(flaky.clock.sleeps.length, 7);
});

test('an abort between two attempts ends the wait', async () => {
  const abort = new AbortController();
  await using stand = await genesys((response) => {
    json(response, 503, {});
    abort.abort(new Error('stop'));
  });
  await assert.rejects(stand.client.detailsJobs.status('j', abort.signal), /stop/);
  assert.equal(stand.seen.length, 1);
});
