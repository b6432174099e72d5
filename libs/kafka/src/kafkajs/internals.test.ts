import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { replaceFetch } from './internals.ts';

const PATIENCE = { retries: 1_000_000, initialRetryTime: 20, maxRetryTime: 20 };

test('a group that is stopped makes no more connections', { timeout: 20_000 }, async (t) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  t.after(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(silent, 'listening');
  // Where nobody listens, and where nobody answers.
  for (const port of [1, (silent.address() as AddressInfo).port]) {
    const settings = { retry: PATIENCE, requestTimeout: 100, logLevel: kafkajs.logLevel.NOTHING };
    const client = new kafkajs.Kafka({ brokers: [`127.0.0.1:${port}`], ...settings });
    const cluster = replaceFetch(client, () => assert.fail('nothing is fetched'));
    const group = client.consumer({ groupId: 'g', retry: PATIENCE });
    const connected = port === 1 ? undefined : once(silent, 'connection');
    const connecting = assert.rejects(group.connect(), /has been stopped/);
    await connected;
    cluster.endConnecting();
    await connecting;
    await assert.rejects(group.connect(), /has been stopped/);
  }
});
