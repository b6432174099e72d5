import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createLogger } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from '../settings.ts';
import { resolveSchemaId } from './context.ts';

const DAY_MS = 86_400_000;

for (const days of [10, -10]) {
  test(`a clock that is ${days} days from the registry's is refused before the first record, local files included`, async () => {
    const server = createServer((_request, response) => {
      response.setHeader('date', new Date(Date.now() + days * DAY_MS).toUTCString());
      response.setHeader('content-type', 'application/json');
      response.end('{"id":1}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const settings = loadSettings(SETTINGS, { env: { SCHEMA_REGISTRY_URL: registry } });
      const log = createLogger({ name: 'test', level: 'silent' });
      await assert.rejects(resolveSchemaId(settings, 'conversation-details', log), {
        code: 'clock-skew',
        scope: 'run',
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}
