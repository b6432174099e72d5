import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { readToEnd } from '@genesys-kafka/kafka';
import { freePorts } from '@genesys-kafka/testing';
import { frame } from '@genesys-kafka/topics';
import { dataPartitions, startBus, type Area, type Bus } from '../../fixtures/bus.ts';
import { ConsumerProcess, runConsumer, steady } from '../../fixtures/consumer-process.ts';
import { until } from '../../fixtures/until.ts';

let bus: Bus;
before(async () => {
  bus = await startBus();
});
after(async () => bus[Symbol.asyncDispose]());

const NAME = 'Kanarienvogel';
const PHONE = '+4915112345678';
const HEADER_SECRET = 'canary-header-secret';
const TOKEN = 'canary-issued-token';

/**
 * A target that quotes what it was sent in every answer: 503 once for each record, and once for all batches, then 422
 * for those named `bad`. It gives out tokens too, after some refusals.
 */
async function quotingTarget() {
  const seen = new Map<string, number>();
  const headers: string[] = [];
  const logins: (string | undefined)[] = [];
  let tokens = 0;
  const server = createServer((request, response) => {
    if (request.url === '/token') {
      // Away at first, then with a token that the target takes no more.
      tokens += 1;
      request.resume();
      response.writeHead(tokens <= 3 ? 503 : 200, { 'content-type': 'application/json' });
      const quoted = request.headers.authorization;
      response.end(JSON.stringify({ access_token: `${TOKEN}-${tokens}`, expires_in: 3600, error: 'busy', quoted }));
      return;
    }
    if (request.url === '/bulk') {
      logins.push(request.headers.authorization);
      if (request.headers.authorization === `Bearer ${TOKEN}-4`) {
        request.resume();
        response.writeHead(401, { 'www-authenticate': `Bearer ${TOKEN}-4` }).end();
        return;
      }
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const key = request.url === '/bulk' ? 'bulk' : String(request.headers['idempotency-key']);
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      headers.push(String(request.headers['x-api-key']));
      response.writeHead(times === 1 ? 503 : body.includes('bad') ? 422 : 200, `No ${PHONE}`, {
        'content-type': 'application/json',
      });
      response.end(`{"error":"${NAME}","you sent":${body}}`);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in?token=canary-query-secret`,
    bulkUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bulk`,
    tokenUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    headers,
    logins,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function append(area: Area, conversationId: string, body: string): Promise<void> {
  await area.append(0, {
    key: conversationId,
    value: frame(area.schemaId, Buffer.from(body)),
    headers: { 'source-id': 'job-1', ordinal: conversationId.length.toString() },
  });
}

test('no secret and nothing personal leaves in logs at debug level, reports, metrics, health or headers', async () => {
  await using area = await bus.area();
  await using target = await quotingTarget();
  const personal = `"participants":[{"participantName":"${NAME}","sessions":[{"ani":"${PHONE}"}]}]`;
  await append(area, 'good', `{"conversationId":"good","n":1,${personal}}`);
  await append(area, 'refused', `{"conversationId":"refused","n":2,"bad":true,${personal}}`);
  await append(area, 'no-number', `{"conversationId":"no-number","n":"${PHONE}","${NAME}":1}`);
  await append(area, 'broken', `{"conversationId":"broken","${NAME}":"${PHONE}`);
  const [port] = await freePorts(1);
  const login = { username: 'canary-registry-user', password: 'canary-registry-password' };
  const config = area.config({
    routes: [
      { name: 'crm', when: 'int(record.n) < 100', sink: 'crm' },
      { name: 'bulk', when: 'int(record.n) < 100', sink: 'bulk' },
      { name: 'numbers', when: 'record.n + 1.0 > 100.0', sink: 'crm' },
    ],
    sinks: {
      crm: {
        type: 'http',
        url: target.url,
        headers: { 'x-api-key': HEADER_SECRET },
        auth: { type: 'basic', username: 'canary-user', password: 'canary-basic-password' },
        signature: { secret: 'canary-signing-secret' },
      },
      bulk: {
        type: 'http',
        url: target.bulkUrl,
        headers: { 'x-api-key': HEADER_SECRET },
        batch: { records: 10, age: '20ms' },
        auth: {
          type: 'oauth',
          tokenUrl: target.tokenUrl,
          clientId: 'canary-client',
          clientSecret: 'canary-client-secret',
          scope: 'all',
        },
      },
    },
    schema: { registry: area.stack.registryUrl, ...login },
    unrouted: 'drop',
    log: { level: 'debug' },
    http: { port },
  });
  await using consumer = await ConsumerProcess.start(config, 'run', ...steady);
  const health: Record<string, string> = {};
  const origin = `http://127.0.0.1:${port}`;
  const isSettled = async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      health[path] = await fetch(origin + path).then(
        async (answer) => answer.text(),
        () => '',
      );
    }
    const count = (line: string) => Number(new RegExp(`${line} (\\d+)$`, 'm').exec(health['/metrics']!)?.[1] ?? 0);
    const letters = health['/metrics']!.matchAll(/^genesys_kafka_consumer_dead_letters_total\{.*\} (\d+)$/gm);
    const given = [...letters].reduce((sum, [, letter]) => sum + Number(letter), 0);
    const delivered = (route: string) =>
      count(`genesys_kafka_consumer_records_total\\{route="${route}",outcome="delivered"\\}`);
    return given >= 4 && delivered('crm') >= 1 && delivered('bulk') >= 1;
  };
  await until(isSettled, 'the last dead letter').catch((cause: unknown) => {
    throw new Error(`${health['/metrics']}\n${consumer.stderr}`, { cause });
  });
  consumer.signal('SIGTERM');
  const { status, stdout, stderr } = await consumer.ended;
  assert.equal(status, 0, stderr);
  assert.ok(target.headers.length > 0 && target.headers.every((value) => value === HEADER_SECRET));
  assert.ok(target.logins.includes(`Bearer ${TOKEN}-4`) && target.logins.includes(`Bearer ${TOKEN}-5`));
  assert.match(stderr, /login-unavailable/);

  const list = await runConsumer(config, ['dead-letters', 'list']);
  const stats = await runConsumer(config, ['dead-letters', 'stats']);
  const outputs = {
    stdout,
    stderr,
    ...health,
    headers: (await headersOf(area)).join('\n'),
    list: list.stdout + list.stderr,
    stats: stats.stdout + stats.stderr,
  };
  assert.match(outputs.headers, /cause: http-422/);
  for (const [where, text] of Object.entries(outputs)) {
    for (const canary of ['canary', NAME, PHONE, PHONE.slice(1)]) {
      assert.ok(!text.includes(canary), `${canary} in ${where}:\n${text}`);
    }
  }
});

/** Keys and headers of all records, those of retry and dead-letter topics too, one a line. */
async function headersOf(area: Area): Promise<string[]> {
  const lines: string[] = [];
  for (const topic of [
    area.main,
    `${area.main}.retry-1`,
    `${area.main}.retry-2`,
    `${area.main}.replay`,
    area.deadLetters,
  ]) {
    for (let partition = 0; partition < dataPartitions; partition += 1) {
      for await (const { records } of readToEnd(area.client, { topic, partition })) {
        for (const { key, headers } of records) {
          lines.push(
            `key: ${String(key)}`,
            ...Object.entries(headers).map(([name, text]) => `${name}: ${String(text)}`),
          );
        }
      }
    }
  }
  return lines;
}
