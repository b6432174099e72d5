import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { listen } from '../../fixtures/listen.ts';
import { connectionsTo } from './client/http-connections.ts';
import { NodeClient } from './client/node-client.ts';
import { UndiciClient } from './client/undici-client.ts';
import { Exchange } from './exchange.ts';

test('a request that is given up as its first try fails is not tried again, and does not blame the target', async (t) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    response.writeContinue();
    request.resume().on('end', () => response.end());
  });
  const port = await listen(t, server);
  const target = { origin: `http://127.0.0.1:${port}`, path: '/in', hostname: '127.0.0.1', port, secure: false };
  const message = { method: 'POST', path: '/in', headers: {}, body: Buffer.from('{}') };
  const exchange = (onFailed: () => void) => {
    const limits = { connections: 1, timeoutMs: 10_000, proxy: undefined, tls: {} };
    const made = new Exchange({
      client: new UndiciClient(connectionsTo(target, limits), target.origin),
      // Asked for between the two tries.
      otherClient: () => {
        onFailed();
        return new NodeClient(target, 1);
      },
      timeoutMs: 10_000,
      keepBytes: 0,
    });
    t.after(async () => made.close());
    return made;
  };
  const abort = new AbortController();
  const aborting = exchange(() => abort.abort(new Error('given up')));
  await assert.rejects(
    aborting.send(message, abort.signal, () => undefined),
    /given up/,
  );
  assert.equal(requests, 1);
  const never = new AbortController().signal;
  const answer = await exchange(() => undefined).send(message, never, () => undefined);
  assert.deepEqual(['statusCode' in answer && answer.statusCode, requests], [200, 3]);
});
