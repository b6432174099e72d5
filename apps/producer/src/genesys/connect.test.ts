import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type Logger } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from '../settings.ts';
import { connectGenesys } from './connect.ts';

const SILENT = { warn: () => undefined, debug: () => undefined } as unknown as Logger;
const never = new AbortController().signal;
const DAY_MS = 86_400_000;

for (const days of [10, -10]) {
  test(`a clock that is ${days} days from Genesys' own is refused at the login, before anything else is asked`, async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('date', new Date(Date.now() + days * DAY_MS).toUTCString());
      response.end('{"access_token":"token","jobId":"job"}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const login = { GENESYS_CLIENT_ID: 'id', GENESYS_CLIENT_SECRET: 'secret-canary' };
    const settings = loadSettings(SETTINGS, { env: { GENESYS_API_URL: origin, GENESYS_LOGIN_URL: origin, ...login } });
    {
      await using genesys = connectGenesys(settings, SILENT);
      await assert.rejects(genesys.detailsJobs.submit({}, never), { code: 'clock-skew', scope: 'run' });
    }
    assert.deepEqual(asked, ['/oauth/token']);
    server.closeAllConnections();
    server.close();
  });
}
