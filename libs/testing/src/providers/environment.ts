import { connect } from 'node:net';
import { TestingError } from '../errors.ts';
import type { Stack, StackOptions } from '../provider.ts';

/** On a machine with much else to do an answer takes its time; where nobody listens there is one at once. */
const TIMEOUT_MS = 30_000;

/**
 * Servers somebody else runs, at KAFKA_BROKERS and SCHEMA_REGISTRY_URL; closing leaves them alone. Unset addresses send
 * the ladder on to the next provider. Set ones where nothing answers are an error: other servers would be a surprise.
 */
export async function environmentStack(options: StackOptions): Promise<Stack> {
  const brokers = (process.env.KAFKA_BROKERS ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  const registryUrl = options.registry === false ? '' : (process.env.SCHEMA_REGISTRY_URL ?? '').replace(/\/$/, '');
  if (brokers.length === 0) throw new TestingError('provider-unavailable', 'KAFKA_BROKERS is not set.');
  if (options.registry !== false && registryUrl === '') {
    throw new TestingError('provider-unavailable', 'KAFKA_BROKERS is set, but not SCHEMA_REGISTRY_URL.');
  }
  const reachable = await Promise.all(brokers.map(async (address) => accepts(address, options.signal)));
  if (!reachable.includes(true)) {
    throw new TestingError('stack-setting', `No broker of KAFKA_BROKERS accepts connections (${brokers.join(', ')}).`);
  }
  if (registryUrl !== '') await expectRegistry(registryUrl, options.signal);
  const refuse = async () => {
    throw new TestingError('stack-control', 'Brokers named by the environment cannot be stopped or started here.');
  };
  const close = async () => undefined;
  return {
    brokers,
    registryUrl,
    provider: 'environment',
    listeners: {},
    proxies: brokers.map(() => undefined),
    stopBroker: refuse,
    startBroker: refuse,
    killBroker: refuse,
    brokerPid: () => undefined,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** True if a TCP connection to `host:port` is accepted soon. */
async function accepts(address: string, signal?: AbortSignal): Promise<boolean> {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, separator).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(separator + 1));
  if (separator < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TestingError('stack-setting', `KAFKA_BROKERS: "${address}" is not host:port.`);
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, ...(signal ? { signal } : {}) }, () => resolve(true));
  socket.setTimeout(TIMEOUT_MS, () => resolve(false));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function expectRegistry(url: string, signal?: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(`${url}/subjects`, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    await response.body?.cancel();
    // A registry that wants a login is there; whoever uses it has the password.
    if (response.ok || response.status === 401 || response.status === 403) return;
    throw new Error(`GET /subjects answers ${response.status}`);
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : '';
    throw new TestingError('stack-setting', `No schema registry answers at SCHEMA_REGISTRY_URL (${reason}).`);
  }
}
