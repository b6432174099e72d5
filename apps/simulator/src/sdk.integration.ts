import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import platformClient from 'purecloud-platform-client-v2';
import type { Models } from 'purecloud-platform-client-v2';
import { startSimulator } from './simulator.ts';
import type { Simulator } from './simulator.ts';

/** Points the SDK's one global client at the stand-in: its "gateway" setting replaces both hosts. */
function sdkFor(simulator: Simulator): typeof platformClient.ApiClient.instance {
  const { hostname, port } = new URL(simulator.apiUrl);
  const client = platformClient.ApiClient.instance;
  client.setGateway({ host: hostname, protocol: 'http', port: Number(port) });
  return client;
}

test('the official SDK logs in, runs a details job and gets every record as it was written', async () => {
  const simulator = await startSimulator({ records: 2500, shortPages: 0.3 });
  try {
    const client = sdkFor(simulator);
    await client.loginClientCredentialsGrant(simulator.clientId, simulator.clientSecret);
    const api = new platformClient.AnalyticsApi();

    const availability = await api.getAnalyticsConversationsDetailsJobsAvailability();
    assert.ok(Date.parse(availability.dataAvailabilityDate ?? '') > Date.UTC(2025, 9, 2));

    const interval = '2025-10-01T00:00:00.000Z/2025-10-02T00:00:00.000Z';
    const { jobId } = await api.postAnalyticsConversationsDetailsJobs({ interval, order: 'asc' });
    assert.ok(jobId);
    assert.equal(await finalState(api, jobId), 'FULFILLED');

    const found = await everyRecord(api, jobId);
    const { conversations } = simulator;
    assert.deepEqual(
      found,
      Array.from({ length: 2500 }, (_, index) => JSON.parse(conversations.text(index)) as unknown),
    );

    await api.deleteAnalyticsConversationsDetailsJob(jobId);
    assert.equal((await api.getAnalyticsConversationsDetailsJob(jobId)).state, 'CANCELLED');
  } finally {
    await simulator.close();
  }
});

test('the official SDK understands the refusals: wrong secret, bad interval', async () => {
  const simulator = await startSimulator({ records: 10 });
  try {
    const client = sdkFor(simulator);
    await assert.rejects(client.loginClientCredentialsGrant(simulator.clientId, 'wrong'));
    await client.loginClientCredentialsGrant(simulator.clientId, simulator.clientSecret);
    const bad = new platformClient.AnalyticsApi().postAnalyticsConversationsDetailsJobs({ interval: 'today' });
    await assert.rejects(bad, (error: { status?: number; code?: string }) => {
      assert.deepEqual([error.status, error.code], [400, 'bad.request']);
      return true;
    });
  } finally {
    await simulator.close();
  }
});

async function finalState(api: InstanceType<typeof platformClient.AnalyticsApi>, jobId: string): Promise<string> {
  for (;;) {
    const { state } = await api.getAnalyticsConversationsDetailsJob(jobId);
    if (state !== 'QUEUED' && state !== 'PENDING') return state ?? '';
    await delay(50);
  }
}

async function everyRecord(
  api: InstanceType<typeof platformClient.AnalyticsApi>,
  jobId: string,
): Promise<Models.AnalyticsConversation[]> {
  const found: Models.AnalyticsConversation[] = [];
  let cursor: string | undefined;
  do {
    const page: Models.AnalyticsConversationAsyncQueryResponse = await api.getAnalyticsConversationsDetailsJobResults(
      jobId,
      { pageSize: 1000, ...(cursor === undefined ? {} : { cursor }) },
    );
    found.push(...(page.conversations ?? []));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
