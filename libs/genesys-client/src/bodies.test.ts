import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { genesys, json, never } from '../fixtures/genesys-server.ts';
import { GenesysError } from './errors.ts';
import { exchanging, type Call } from './exchange.ts';
import { decode } from './interceptors/decode.ts';
import { minimumProgress } from './interceptors/time-limits.ts';

const page = Buffer.from(`{"conversations":[${'{"conversationId":"x"},'.repeat(500)}{}]}`);
const send = (response: ServerResponse, body: Buffer, headers: Record<string, string> = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
const tooLarge = (error: unknown) => error instanceof GenesysError && error.code === 'answer-too-large';
const bad = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GenesysError, String(error));
  assert.equal(error.code, 'bad-answer');
  assert.match(error.message, pattern);
  return true;
};

for (const [encoding, body] of [
  ['gzip', gzipSync(page)],
  ['br', brotliCompressSync(page)],
] as const) {
  test(`a page in ${encoding} comes out as its original bytes`, async () => {
    await using stand = await genesys((response) => send(response, body, { 'content-encoding': encoding }));
    assert.deepEqual(await stand.client.detailsJobs.page('j', { pageSize: 1000 }, never), page);
    assert.equal(stand.seen[0]?.headers['accept-encoding'], 'gzip, br');
  });
}

test('two encodings, and one that nobody asked for, are refused', async () => {
  await using stand = await genesys((response, nth) => {
    if (nth === 0) send(response, gzipSync(gzipSync(page)), { 'content-encoding': 'gzip, gzip' });
    else send(response, page, { 'content-encoding': 'zstd' });
  });
  const ask = async () => stand.client.detailsJobs.page('j', { pageSize: 1000 }, never);
  await assert.rejects(ask(), bad(/more than one content-encoding/));
  await assert.rejects(ask(), bad(/unknown content-encoding/));
});

test('a compressed page that is damaged is fetched again', async () => {
  const body = gzipSync(page);
  await using stand = await genesys((response, nth) =>
    send(response, nth === 0 ? body.subarray(0, body.length - 20) : body, { 'content-encoding': 'gzip' }),
  );
  assert.deepEqual(await stand.client.detailsJobs.page('j', { pageSize: 1000 }, never), page);
  assert.equal(stand.seen.length, 2);
});

test('a page over its cap is refused: by its announced length, by its bytes, and by its inflated bytes', async () => {
  const bomb = gzipSync(Buffer.alloc(5_000_000, 32));
  await using stand = await genesys(
    (response, nth) => {
      if (nth === 0) send(response, Buffer.alloc(20_000, 32), { 'content-length': '20000' });
      if (nth === 1) {
        response.writeHead(200);
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(8192, 32)));
        };
        response.on('drain', more);
        more();
      }
      if (nth === 2) send(response, bomb, { 'content-encoding': 'gzip' });
    },
    { maxPageBytes: 10_000 },
  );
  for (let nth = 0; nth < 3; nth += 1) {
    await assert.rejects(stand.client.detailsJobs.page('j', { pageSize: 1000 }, never), tooLarge);
  }
  assert.equal(stand.seen.length, 3);
});

test('inflating stops at the cap: a bomb is never whole in memory', async () => {
  const bomb = gzipSync(Buffer.alloc(5_000_000, 32));
  await using stand = await genesys((response) => send(response, bomb, { 'content-encoding': 'gzip' }));
  const agent = new Agent();
  const outcome = Promise.withResolvers<unknown>();
  const call = { origin: stand.origin, path: '/', method: 'GET', operation: 'x', headers: {} } as const;
  // Below the caps that the layers above would apply to what came out.
  decode()(agent.dispatch.bind(agent))({ ...call, signal: never, maxBytes: 10_000 } as Call, {
    onResponseData: (_controller, chunk) => outcome.resolve(chunk.length),
    onResponseError: (_controller, error) => outcome.resolve(error),
  });
  assert.ok(tooLarge(await outcome.promise));
  await agent.close();
});

test('an endless error page still counts as its status', async () => {
  await using stand = await genesys(
    (response) => {
      response.writeHead(500);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 60)));
      };
      response.on('drain', more);
      more();
    },
    { retryAttempts: 2 },
  );
  await assert.rejects(stand.client.detailsJobs.status('j', never), { code: 'server-error' });
  assert.equal(stand.seen.length, 2);
});

test('wrong JSON, HTML, a missing and a mistyped field are typed errors that quote nothing', async () => {
  const answers: [string, string, RegExp][] = [
    ['{"jobId": "+4930123', 'application/json', /not JSON but application\/json/],
    ['<html>+4930123</html>', 'text/html; charset=utf-8', /not JSON but text\/html/],
    ['', '', /not JSON but empty/],
    ['{"id":"+4930123"}', 'application/json', /missing or unusable: jobId/],
    ['{"jobId":4930123}', 'application/json', /jobId is of type number/],
    ['[]', 'application/json', /the whole body/],
  ];
  await using stand = await genesys((response, nth) => {
    const [body = '', type = ''] = answers[nth] ?? [];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  for (const [, , pattern] of answers) {
    await assert.rejects(stand.client.detailsJobs.submit({}, never), (error) => {
      assert.doesNotMatch(JSON.stringify(error) + String(error), /4930123/);
      return bad(pattern)(error);
    });
  }
  assert.equal(stand.seen.length, answers.length);
});

test('a page that is HTML, a list, empty or not 200 is no page', async () => {
  await using stand = await genesys((response, nth) => {
    if (nth === 0) response.end('<html></html>');
    if (nth === 1) response.end('[]');
    if (nth === 2) response.end();
    if (nth === 3) json(response, 206, { conversations: [] });
  });
  for (let nth = 0; nth < 4; nth += 1) {
    await assert.rejects(stand.client.detailsJobs.page('j', { pageSize: 1 }, never), bad(/no results page/));
  }
});

const timeout = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GenesysError, String(error));
  assert.equal(error.code, 'timeout');
  assert.match(error.message, pattern);
  return true;
};

test('a body that stalls, an answer that never begins and one that never ends are each cut off', async () => {
  const stalling = (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"a"');
  };
  await using stalled = await genesys(stalling, { bodyIdleTimeoutMs: 50, retryAttempts: 2 });
  await assert.rejects(stalled.client.detailsJobs.page('j', { pageSize: 1 }, never), timeout(/body stalled/));
  assert.equal(stalled.seen.length, 2);

  await using silent = await genesys(() => undefined, { headersTimeoutMs: 50, retryAttempts: 2 });
  await assert.rejects(silent.client.detailsJobs.status('j', never), timeout(/no answer began/));
  assert.equal(silent.seen.length, 2);

  const trickling = (response: ServerResponse) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(timer));
  };
  await using trickled = await genesys(trickling, { requestTimeoutMs: 200, retryAttempts: 1 });
  await assert.rejects(trickled.client.detailsJobs.status('j', never), timeout(/within 200 ms/));
});

test('a body that trickles below the least speed is cut off, a fast one is not', async () => {
  const trickling = (response: ServerResponse, nth: number) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(Buffer.alloc(nth === 0 ? 1 : 5000, 32)), 10);
    const end = nth === 0 ? undefined : setTimeout(() => response.end('{}'), 1500);
    response.on('close', () => clearInterval(timer));
    end?.unref();
  };
  await using stand = await genesys(trickling);
  const agent = new Agent();
  const slow = agent.compose(minimumProgress({ minBytes: 1000, stretchMs: 1000 }));
  const exchange = exchanging(slow.dispatch.bind(slow));
  const call = { origin: stand.origin, path: '/', method: 'GET', operation: 'x', headers: {} } as const;
  const ask = async () => exchange({ ...call, signal: never, maxBytes: 10_000_000 });
  await assert.rejects(ask(), timeout(/brought only \d+ bytes in 1000 ms/));
  assert.equal((await ask()).status, 200);
  await agent.close();
});
