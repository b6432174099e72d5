import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { genesys, json, never, type Answering } from '../fixtures/genesys-server.ts';
import type { GenesysClient } from './client.ts';
import { GenesysError } from './errors.ts';

const submitted: Answering = (response) => json(response, 202, { jobId: 'job-7' });
const RESULTS = { conversations: [] };

/** What a server says that does not know of a new job, or of its results, yet. */
const NOT_YET: Readonly<Record<string, (response: ServerResponse) => void>> = {
  404: (response) => json(response, 404, { code: 'not.found' }),
  202: (response) => response.writeHead(202).end(),
  204: (response) => response.writeHead(204).end(),
};

const CALLS: Readonly<
  Record<string, { readonly good: unknown; readonly ask: (client: GenesysClient) => Promise<unknown> }>
> = {
  'details-jobs status': {
    good: { state: 'FULFILLED' },
    ask: ({ detailsJobs }) => detailsJobs.status('job-7', never),
  },
  'details-jobs page': {
    good: RESULTS,
    ask: ({ detailsJobs }) => detailsJobs.page('job-7', { pageSize: 10 }, never),
  },
  'bulk-archive status': { good: { status: 'QUEUED' }, ask: ({ bulkArchive }) => bulkArchive.status('job-7', never) },
};

async function submit(client: GenesysClient, call: string): Promise<void> {
  await (call.startsWith('bulk') ? client.bulkArchive : client.detailsJobs).submit({}, never);
}

for (const [call, { good, ask }] of Object.entries(CALLS)) {
  for (const [status, notYet] of Object.entries(NOT_YET)) {
    test(`${call}: ${status} right after the submit is asked again, until the job is known`, async () => {
      await using stand = await genesys((response, nth, request) => {
        if (nth === 0) submitted(response, nth, request);
        else if (nth < 6) notYet(response);
        else json(response, 200, good);
      });
      await submit(stand.client, call);
      await ask(stand.client);
      assert.equal(stand.seen.length, 7);
    });

    test(`${call}: ${status} for ever has an end, sooner for a job that was not made just now`, async () => {
      await using stand = await genesys((response, _nth, request) => {
        if (request.method === 'POST') submitted(response, 0, request);
        else notYet(response);
      });
      const code = status === '404' ? 'job-gone' : 'not-ready';
      const ended = (error: unknown) => {
        assert.ok(error instanceof GenesysError, String(error));
        assert.deepEqual([error.code, error.scope], [code, 'source']);
        assert.match(error.message, /job-7/);
        return true;
      };
      await assert.rejects(ask(stand.client), ended);
      assert.equal(stand.seen.length, 3);
      await submit(stand.client, call);
      await assert.rejects(ask(stand.client), ended);
      assert.equal(stand.seen.length, 3 + 1 + 8);
    });
  }
}

test('a job that was seen once is believed to be gone sooner than a new one', async () => {
  await using stand = await genesys((response, nth, request) => {
    if (request.method === 'POST') submitted(response, nth, request);
    else if (nth === 1) json(response, 200, { state: 'PENDING' });
    else json(response, 404, {});
  });
  const { detailsJobs } = stand.client;
  await detailsJobs.submit({}, never);
  await detailsJobs.status('job-7', never);
  await assert.rejects(detailsJobs.status('job-7', never), { code: 'job-gone' });
  assert.equal(stand.seen.length, 2 + 3);
});

for (const contract of ['detailsJobs', 'bulkArchive'] as const) {
  test(`${contract}: 409 on a submit is tried again, with growing waits and an end`, async () => {
    let conflicts = 4;
    await using stand = await genesys((response, nth, request) => {
      conflicts -= 1;
      if (conflicts >= 0) json(response, 409, { code: 'conflict' });
      else submitted(response, nth, request);
    });
    assert.deepEqual(await stand.client[contract].submit({}, never), { jobId: 'job-7' });
    assert.deepEqual(stand.clock.sleeps, [250, 500, 1000, 2000]);
    conflicts = 1000;
    await assert.rejects(stand.client[contract].submit({}, never), (error) => {
      assert.ok(error instanceof GenesysError);
      assert.deepEqual([error.code, error.scope], ['submit-refused', 'source']);
      assert.match(error.message, /409, conflict.*again later/);
      return true;
    });
    assert.equal(stand.seen.length, 5 + 8);
  });

  test(`${contract}: a refused query is its window's affair, a refused login or permission the run's`, async () => {
    let status = 400;
    await using stand = await genesys((response) => json(response, status, { code: 'x' }));
    for (const [answer, code, scope] of [
      [400, 'submit-refused', 'source'],
      [413, 'submit-refused', 'source'],
      [422, 'submit-refused', 'source'],
      [401, 'token-refused', 'run'],
      [403, 'permission-missing', 'run'],
    ] as const) {
      status = answer;
      await assert.rejects(stand.client[contract].submit({}, never), { code, scope }, String(answer));
    }
  });

  test(`${contract}: a job id that cannot stand in an address is told by what is odd about it`, async () => {
    let jobId: unknown;
    await using stand = await genesys((response) => json(response, 202, { jobId }));
    const problems: [unknown, RegExp][] = [
      [undefined, /missing or unusable: jobId/],
      [17, /its jobId is of type number, not a text/],
      [null, /its jobId is null, not a text/],
      ['a/b', /its jobId has the character "\/"; letters, digits/],
      ['a b', /has the character U\+0020/],
      ['jöb', /has the character U\+00F6/],
      ['a%2Fb', /has the character "%"/],
      ['', /its jobId is empty/],
      ['..', /its jobId is empty, a dot or two/],
    ];
    for (const [id, problem] of problems) {
      jobId = id;
      await assert.rejects(stand.client[contract].submit({}, never), { code: 'bad-answer', message: problem });
    }
  });
}

test("a failed job's own words are without query strings and tokens, wherever the cut falls", async () => {
  const secrets = 'https://files.example/a.zip?X-Amz-Signature=link-canary token=token-canary Bearer bearer-canary';
  const jwt = `eyJhbGciOiJIUzI1NiJ9.${'canary'.repeat(20)}.c2lnbmF0dXJl`;
  let message = '';
  await using stand = await genesys((response) =>
    json(response, 200, { state: 'FAILED', status: 'FAILED', errorMessage: message, message }),
  );
  for (message of [`It failed: ${secrets}`, `${'x '.repeat(140)}${jwt}`, `${'x '.repeat(140)}${secrets}`]) {
    for (const api of [stand.client.detailsJobs, stand.client.bulkArchive]) {
      const status = await api.status('job-7', never);
      assert.equal(status.state, 'failed');
      assert.doesNotMatch(JSON.stringify(status), /canary/);
    }
  }
});
