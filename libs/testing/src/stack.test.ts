import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startStack, uniquePrefix } from './index.ts';

const names = [
  ...['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'GENESYS_KAFKA_STACK', 'DOCKER_HOST', 'JAVA_HOME', 'TMPDIR'],
  ...['GENESYS_KAFKA_KAFKA_IMAGE', 'GENESYS_KAFKA_REGISTRY_IMAGE'],
];

/** The settings given and no others, for one test. */
function environment(context: TestContext, settings: Record<string, string>): void {
  const before = names.map((name) => [name, process.env[name]] as const);
  const apply = (entries: readonly (readonly [string, string | undefined])[]) => {
    for (const [name, value] of entries) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
  apply(names.map((name) => [name, settings[name]]));
  context.after(() => apply(before));
}

async function listening(context: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('addresses in the environment that answer are taken, and closing leaves the servers alone', async (context) => {
  const broker = createServer((socket) => socket.destroy());
  const address = await listening(context, broker);
  const registry = createHttpServer((request, response) => {
    response.statusCode = request.url === '/base/subjects' ? 200 : 404;
    response.end('[]');
  });
  const url = `http://${await listening(context, registry)}/base`;
  environment(context, { KAFKA_BROKERS: ` ${address},127.0.0.1:1`, SCHEMA_REGISTRY_URL: `${url}/` });
  const stack = await startStack();
  assert.deepEqual([stack.provider, stack.brokers, stack.registryUrl], ['environment', [address, '127.0.0.1:1'], url]);
  await assert.rejects(stack.killBroker(0), { code: 'stack-control' });
  await stack.close();
  assert.ok(broker.listening);
});

test('addresses in the environment where nothing answers are an error, not a reason for other servers', async (context) => {
  environment(context, { KAFKA_BROKERS: '127.0.0.1:1', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' });
  await assert.rejects(startStack(), {
    code: 'stack-setting',
    scope: 'usage',
    message: /KAFKA_BROKERS.*127\.0\.0\.1:1/,
  });
  const address = await listening(context, createServer());
  environment(context, { KAFKA_BROKERS: address, SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' });
  await assert.rejects(startStack(), { code: 'stack-setting', message: /SCHEMA_REGISTRY_URL/ });
  environment(context, { KAFKA_BROKERS: 'no-port', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' });
  await assert.rejects(startStack(), { code: 'stack-setting', message: /"no-port" is not host:port/ });
});

test('a provider can be forced, and an unknown one is refused', async (context) => {
  environment(context, { GENESYS_KAFKA_STACK: 'environment' });
  await assert.rejects(startStack(), { code: 'stack-unavailable', message: /KAFKA_BROKERS is not set/ });
  environment(context, { GENESYS_KAFKA_STACK: 'cloud' });
  await assert.rejects(startStack(), { code: 'stack-setting', message: /"cloud".*environment, container, process/ });
});

test('when no provider works the error tells of each what failed and what it needs, and nothing is left', async (context) => {
  const tmp = mkdtempSync(join(tmpdir(), 'stack-'));
  context.after(() => rmSync(tmp, { recursive: true, force: true }));
  environment(context, {
    DOCKER_HOST: 'tcp://127.0.0.1:1',
    // Testcontainers goes on to the machine's own runtime: that one, if it is there, gets no image.
    GENESYS_KAFKA_KAFKA_IMAGE: 'localhost:1/absent:8.1.0',
    JAVA_HOME: '/nowhere',
    TMPDIR: tmp,
  });
  const lines: string[] = [];
  await assert.rejects(startStack({ onProgress: (line) => lines.push(line) }), {
    code: 'stack-unavailable',
    message:
      /environment: .*\n +needs: KAFKA_BROKERS[^]* container: [^]* process: Cannot run \/nowhere\/bin\/java[^]*needs: Java 17/,
  });
  assert.equal(lines.filter((line) => line.startsWith('not by')).length, 3);
  assert.deepEqual(readdirSync(tmp), []);
});

test('prefixes differ', () => {
  assert.match(uniquePrefix(), /^t-[0-9a-f]{12}\.$/);
  assert.notEqual(uniquePrefix(), uniquePrefix());
});
