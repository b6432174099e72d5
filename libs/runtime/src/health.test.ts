import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type HealthOptions, startHealthServer } from './health.ts';
import { createMetrics } from './metrics.ts';

const host = '127.0.0.1';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function get(url: string): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(url);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

test('port 0 starts nothing', async () => {
  using metrics = createMetrics();
  assert.equal(
    await startHealthServer({ port: 0, host, metrics, ready: () => ({ ready: true, reasons: [] }) }),
    undefined,
  );
});

test('readiness follows the program, falls first when it is told to stop, and shows no secrets; liveness stays', async () => {
  using metrics = createMetrics();
  metrics.counter('records_total', 'Records by outcome.', ['outcome']).inc({ outcome: 'published' }, 3);
  let depth = 0;
  metrics.gauge('queue_bytes', 'Bytes waiting.', ['stage'], (gauge) => gauge.set({ stage: 'parse' }, ++depth));
  metrics.histogram('transaction_seconds', 'Time of a transaction.', [0.1, 1]).observe(0.5);
  const abort = new AbortController();
  let readiness = { ready: false, reasons: ['waiting for https://x.example/a?sig=canary'] };
  let fails = false;
  const options: HealthOptions = {
    port: await freePort(),
    host,
    metrics,
    signal: abort.signal,
    ready: () => {
      if (fails) throw new Error('canary');
      return readiness;
    },
    live: () => !fails,
  };
  await using server = await startHealthServer(options);
  const { url } = server!;
  assert.equal(url, `http://127.0.0.1:${options.port}`);
  assert.deepEqual(await get(`${url}/readyz`), {
    status: 503,
    type: 'application/json; charset=utf-8',
    text: '{"ready":false,"reasons":["waiting for https://x.example/a?[redacted]"]}',
  });
  readiness = { ready: true, reasons: [] };
  assert.equal((await get(`${url}/readyz`)).status, 200);
  assert.equal((await get(`${url}/livez`)).status, 200);
  fails = true;
  const failed = await get(`${url}/readyz`);
  assert.equal(failed.status, 503);
  assert.deepEqual(JSON.parse(failed.text), { ready: false, reasons: ['the readiness check itself failed'] });
  assert.equal((await get(`${url}/livez`)).status, 503);
  fails = false;
  abort.abort();
  assert.deepEqual(JSON.parse((await get(`${url}/readyz`)).text), { ready: false, reasons: ['shutting down'] });
  assert.equal((await get(`${url}/livez`)).status, 200);
  const figures = await get(`${url}/metrics`);
  assert.match(figures.type ?? '', /^text\/plain; .*version=/);
  assert.match(figures.text, /^genesys_kafka_records_total\{outcome="published"\} 3$/m);
  assert.match(figures.text, /^genesys_kafka_queue_bytes\{stage="parse"\} 1$/m);
  assert.match(figures.text, /^genesys_kafka_transaction_seconds_bucket\{le="1"\} 1$/m);
  assert.match(figures.text, /^genesys_kafka_event_loop_delay_seconds\{quantile="0.99"\} \d/m);
  assert.match(figures.text, /^process_resident_memory_bytes \d/m);
  assert.equal((await get(`${url}/other`)).status, 404);
});

test('what is worth seeing is told beside readiness, without secrets; a failure of our own tells nothing', async () => {
  const status = { circuits: [{ sink: 'crm', reason: 'of https://x.example/a?sig=canary', token: 'canary' }] };
  const metrics = { text: async () => Promise.reject(new Error('canary')), contentType: 'text/plain' };
  const ready = () => ({ ready: true, reasons: [], status });
  await using server = await startHealthServer({ port: await freePort(), host, metrics, ready });
  assert.deepEqual(JSON.parse((await get(`${server!.url}/readyz`)).text), {
    ready: true,
    reasons: [],
    status: { circuits: [{ sink: 'crm', reason: 'of https://x.example/a?[redacted]', token: '[redacted]' }] },
  });
  const { status: code, text } = await get(`${server!.url}/metrics`);
  assert.deepEqual([code, text], [500, '{"error":"internal error"}']);
});

test('nothing is served but these three: no environment, no settings, no memory, whatever is asked for', async () => {
  using metrics = createMetrics();
  process.env.HEALTH_TEST = 'canary-environment';
  try {
    const ready = () => ({ ready: true, reasons: [] });
    await using server = await startHealthServer({ port: await freePort(), host, metrics, ready });
    const { url } = server!;
    const told = await Promise.all(['/livez', '/readyz', '/metrics'].map((path) => get(url + path)));
    const paths = ['/', '/env', '/config', '/settings', '/debug/pprof/heap', '/heapdump', '/info', '/metrics/env'];
    for (const path of paths) {
      const answer = await get(url + path);
      assert.equal(answer.status, 404, path);
      told.push(answer);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status } = await fetch(`${url}/readyz`, { method });
      assert.equal(status, 404, method);
    }
    // What a variable holds, wherever it may show; short ones are words like any other.
    const values = Object.values(process.env).filter((value) => value !== undefined && value.length > 12);
    for (const { text } of told) for (const value of values) assert.ok(!text.includes(value!), `${value!} in ${text}`);
    assert.deepEqual(
      told.slice(0, 2).map(({ text }) => text),
      ['{"live":true}', '{"ready":true,"reasons":[]}'],
    );
  } finally {
    delete process.env.HEALTH_TEST;
  }
});

test('a port that is taken is a plain error that says what to set', async () => {
  using metrics = createMetrics();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  try {
    await assert.rejects(startHealthServer({ port, host, metrics, ready: () => ({ ready: true, reasons: [] }) }), {
      code: 'http-port-unavailable',
      scope: 'run',
      message: new RegExp(`127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\)\\. Set HTTP_PORT`),
    });
  } finally {
    taken.close();
  }
});

test('event-loop delay is what a blocked loop shows, and little otherwise', async () => {
  using metrics = createMetrics();
  // The monitor's own timer has to be running before the block, and to fire once after it.
  const tick = () => new Promise((resolve) => setTimeout(resolve, 30));
  await tick();
  const untilMs = performance.now() + 120;
  while (performance.now() < untilMs);
  await tick();
  const { p50Ms, maxMs } = metrics.eventLoopDelay();
  assert.ok(maxMs >= 50, `max ${maxMs}`);
  assert.ok(p50Ms < maxMs, `p50 ${p50Ms}`);
});

test('two sets of metrics in one process do not meet', async () => {
  using first = createMetrics();
  using second = createMetrics();
  first.counter('x_total', 'X.').inc();
  second.counter('x_total', 'X.').inc(2);
  assert.match(await first.text(), /^genesys_kafka_x_total 1$/m);
  assert.match(await second.text(), /^genesys_kafka_x_total 2$/m);
});
