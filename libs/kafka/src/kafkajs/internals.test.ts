import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import {
  protocolError,
  replaceRequests,
  type Broker,
  type Cluster,
  type GroupFetchRequest,
  type GroupRequests,
} from './internals.ts';

const IDLE = {
  fetch: () => assert.fail('nothing is fetched'),
  isCommitWanted: () => true,
  isJoinDue: () => false,
  onHeartbeat: () => undefined,
  onSync: () => undefined,
};
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
    const cluster = replaceRequests(client, IDLE);
    const group = client.consumer({ groupId: 'g', retry: PATIENCE });
    const connected = port === 1 ? undefined : once(silent, 'connection');
    const connecting = assert.rejects(group.connect(), /has been stopped/);
    await connected;
    cluster.endConnecting();
    await connecting;
    await assert.rejects(group.connect(), /has been stopped/);
  }
});

/** The broker that a group of a client is given, whose own requests end in these ways. */
async function brokerOf(
  own: Partial<Broker>,
  asked: Partial<GroupRequests> = {},
  onRefresh: () => unknown = () => undefined,
): Promise<Broker> {
  const client = new kafkajs.Kafka({ brokers: ['127.0.0.1:1'], logLevel: kafkajs.logLevel.NOTHING });
  replaceRequests(client, { ...IDLE, ...asked });
  const symbol = Object.getOwnPropertySymbols(client).find(({ description }) => description?.includes('createCluster'));
  const cluster = (client as unknown as Record<symbol, (options: object) => Cluster>)[symbol!]!({});
  Object.assign(cluster, { refreshMetadata: async () => onRefresh() });
  Object.assign(cluster.brokerPool, { findBroker: async () => Object.create(own) as Broker });
  return cluster.findBroker({ nodeId: '1' });
}

test('a coordinator that cannot be reached is none any more; any other failure of a heartbeat is told as it is', async () => {
  const away = new kafkajs.KafkaJSConnectionError('connect ECONNREFUSED');
  // Not among what kafkajs exports.
  const closed = Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError' });
  const refused = protocolError(30);
  const heartbeats = [away, closed, refused].map(async (error) => {
    const broker = await brokerOf({ heartbeat: () => Promise.reject(error) });
    return broker.heartbeat({}).catch((told: unknown) => told);
  });
  const told = (await Promise.all(heartbeats)) as { readonly type?: string }[];
  assert.deepEqual(
    told.map(({ type }) => type),
    ['NOT_COORDINATOR_FOR_GROUP', 'NOT_COORDINATOR_FOR_GROUP', 'GROUP_AUTHORIZATION_FAILED'],
  );
});

test('a connection that breaks under a fetch has the leaders looked up anew, whatever stands in front of the broker', async () => {
  const broken = new kafkajs.KafkaJSConnectionError('read ECONNRESET');
  let refreshes = 0;
  const broker = await brokerOf({}, { fetch: () => Promise.reject(broken) }, () => (refreshes += 1));
  await assert.rejects(broker.fetch({} as GroupFetchRequest), broken);
  assert.equal(refreshes, 1);
});

test('a group that was told to join again, and whose joining failed, is told so again with its next heartbeat', async () => {
  const sent: unknown[] = [];
  const own = { heartbeat: async (request: unknown) => sent.push(request) };
  await assert.rejects((await brokerOf(own, { isJoinDue: () => true })).heartbeat('in the old generation'), {
    type: 'REBALANCE_IN_PROGRESS',
  });
  await (await brokerOf(own)).heartbeat('joined');
  assert.deepEqual(sent, ['joined']);
});

test('as what a group asks for its part is told before it asks', async () => {
  const told: unknown[] = [];
  const own = { syncGroup: async () => told.push('asked') };
  const broker = await brokerOf(own, { onSync: (membership) => told.push(membership) });
  await broker.syncGroup({ memberId: 'm', generationId: 7 });
  assert.deepEqual(told, [{ memberId: 'm', generation: 7 }, 'asked']);
});

test('a commit that is not wanted any more is not sent, nor tried again', async () => {
  const sent: unknown[] = [];
  const own = { offsetCommit: async (request: unknown) => sent.push(request) };
  await (await brokerOf(own)).offsetCommit('wanted');
  await assert.rejects((await brokerOf(own, { isCommitWanted: () => false })).offsetCommit('overtaken'), {
    type: 'ILLEGAL_GENERATION',
    retriable: false,
  });
  assert.deepEqual(sent, ['wanted']);
});
