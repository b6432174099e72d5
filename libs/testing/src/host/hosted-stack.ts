import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from '@genesys-kafka/resilience';
import { startProxy, type ChaosProxy } from '../chaos-proxy.ts';
import { TestingError } from '../errors.ts';
import { freePorts } from '../free-port.ts';
import type { Stack, StackOptions } from '../provider.ts';
import { brokerName, messages, type BrokerVerb, type HostConfig, type HostEvent } from './host-protocol.ts';
import { killGroup } from './process-group.ts';

const CLOSE_TIMEOUT_MS = 30_000;
const PORT_ATTEMPTS = 3;

/** A host could not bring up its servers. */
export class HostFailure extends Error {
  readonly logs: string | undefined;
  readonly portTaken: boolean;

  constructor(reason: string, options: { readonly logs?: string | undefined; readonly portTaken?: boolean } = {}) {
    super(reason);
    this.logs = options.logs;
    this.portTaken = options.portTaken ?? false;
  }
}

/** A stack whose servers a host process owns; rejects with HostFailure or the signal's reason when it cannot be. */
export async function hostedStack(provider: HostConfig['provider'], options: StackOptions): Promise<Stack> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(provider, options);
    } catch (error) {
      if (!(error instanceof HostFailure) || !error.portTaken || attempt === PORT_ATTEMPTS) throw error;
      options.onProgress?.(`a port was taken in the meantime, once more: ${error.message}`);
    }
  }
}

async function startOnce(provider: HostConfig['provider'], options: StackOptions): Promise<Stack> {
  const { slowBroker, proxied, onProgress } = options;
  const count = options.brokers ?? 1;
  const { listeners = [], properties = {}, scramUsers = [] } = options;
  const ports = await freePorts(count * (1 + listeners.length));
  const listen = ports.slice(0, count);
  const extra = listen.map((_port, broker) =>
    ports.slice(count + broker * listeners.length).slice(0, listeners.length),
  );
  await using proxies = new AsyncDisposableStack();
  const inFront = await Promise.all(
    listen.map(async (port, index) => {
      if (!proxied && slowBroker?.index !== index) return undefined;
      const proxy = proxies.use(await startProxy({ target: `127.0.0.1:${port}` }));
      if (slowBroker?.index === index) {
        proxy.set({ toTarget: { latencyMs: slowBroker.latencyMs }, toClient: { latencyMs: slowBroker.latencyMs } });
      }
      return proxy;
    }),
  );
  const dir = await mkdtemp(join(tmpdir(), 'genesys-kafka-stack-'));
  const config: HostConfig = {
    provider,
    brokers: count,
    registry: options.registry ?? true,
    dir,
    keepLogs: options.keepLogsOnFailure ?? true,
    ports: listen.map((port, index) => ({
      listen: port,
      advertised: inFront[index]?.port ?? port,
      extra: extra[index]!,
    })),
    properties,
    listeners,
    scramUsers,
  };
  const host = new Host(config, onProgress);
  const abort = () => void host.close();
  options.signal?.addEventListener('abort', abort);
  try {
    const { brokers, registryUrl } = await host.ready;
    options.signal?.throwIfAborted();
    const addresses = listeners.map(({ name }, at) => [name, extra.map((of) => `127.0.0.1:${of[at]!}`)] as const);
    const facts = { brokers: [...brokers], listeners: Object.fromEntries(addresses), registryUrl, provider };
    return runningStack(host, { ...facts, proxies: inFront }, proxies.move());
  } catch (error) {
    await host.close();
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

function runningStack(
  host: Host,
  facts: Pick<Stack, 'brokers' | 'registryUrl' | 'provider' | 'listeners'> & {
    readonly proxies: readonly (ChaosProxy | undefined)[];
  },
  proxies: AsyncDisposableStack,
): Stack {
  const close = async () => {
    await host.close();
    await proxies.disposeAsync();
  };
  return {
    ...facts,
    stopBroker: async (index) => host.ask('stop', index),
    startBroker: async (index) => host.ask('start', index),
    killBroker: async (index) => host.ask('kill', index),
    brokerPid: (index) => host.pidOf(brokerName(index)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Ready {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
}

/** The asking side of a stack host: its pipe is this process's life line to the servers. */
class Host {
  readonly ready: Promise<Ready>;
  readonly #config: HostConfig;
  readonly #child: ChildProcess;
  // With `stdio: 'pipe'` these are sockets, and a socket can be told not to keep this process alive.
  readonly #stdin: Socket;
  readonly #stdout: Socket;
  readonly #exited: Promise<void>;
  readonly #onProgress: ((line: string) => void) | undefined;
  /** With their names. */
  readonly #pids = new Map<number, string>();
  readonly #asked = new Map<number, PromiseWithResolvers<undefined>>();
  readonly #ready = Promise.withResolvers<Ready>();
  #lastId = 0;
  #closing: Promise<void> | undefined;

  constructor(config: HostConfig, onProgress?: (line: string) => void) {
    this.#config = config;
    this.#onProgress = onProgress;
    const logsDir = join(config.dir, 'logs');
    mkdirSync(logsDir);
    const log = openSync(join(logsDir, 'host.log'), 'a');
    // Options for this process (an inspector's port, coverage, a test runner's protocol) are not for the host.
    const foreign = new Set(['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_TEST_CONTEXT']);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.has(name)));
    const script = fileURLToPath(new URL('./stack-host.ts', import.meta.url));
    this.#child = spawn(process.execPath, [script, JSON.stringify(config)], {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      env,
    });
    closeSync(log);
    this.#stdin = this.#child.stdin as Socket;
    this.#stdout = this.#child.stdout as Socket;
    this.#stdin.on('error', () => undefined);
    this.ready = this.#ready.promise;
    this.ready.catch(() => undefined);
    this.#exited = this.#end();
    void this.#listen();
  }

  /** Asks for a verb on a broker; rejects with `stack-control`. */
  async ask(verb: BrokerVerb, index: number): Promise<void> {
    if (this.#closing) throw new TestingError('stack-control', `Cannot ${verb} broker ${index}: the stack is closed.`);
    const id = (this.#lastId += 1);
    const answer = Promise.withResolvers<undefined>();
    this.#asked.set(id, answer);
    this.#hold(true);
    this.#stdin.write(`${JSON.stringify({ id, verb, index })}\n`);
    try {
      await answer.promise;
    } catch (error) {
      throw new TestingError('stack-control', `Cannot ${verb} broker ${index}: ${(error as Error).message}.`, {
        cause: error,
      });
    } finally {
      this.#asked.delete(id);
      this.#release();
    }
  }

  pidOf(name: string): number | undefined {
    return [...this.#pids].find(([, candidate]) => candidate === name)?.[0];
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#hold(true);
    this.#stdin.end();
    await within(this.#exited, CLOSE_TIMEOUT_MS, () => new Error('late')).catch(() => this.#child.kill('SIGKILL'));
    await this.#exited;
  }

  /** Whether this process must live on for the host: not while a stack merely runs, so that forgetting it is harmless. */
  #hold(hold: boolean): void {
    for (const handle of [this.#child, this.#stdin, this.#stdout]) {
      if (hold) handle.ref();
      else handle.unref();
    }
  }

  #release(): void {
    if (this.#asked.size === 0 && !this.#closing) this.#hold(false);
  }

  async #listen(): Promise<void> {
    for await (const event of messages<HostEvent>(this.#stdout)) this.#handle(event);
  }

  #handle(event: HostEvent): void {
    switch (event.type) {
      case 'progress':
        this.#onProgress?.(event.line);
        break;
      case 'spawned':
        this.#pids.set(event.pid, event.name);
        break;
      case 'gone':
        this.#pids.delete(event.pid);
        break;
      case 'ready':
        this.#ready.resolve(event);
        this.#release();
        break;
      case 'failed':
        this.#ready.reject(new HostFailure(event.reason, event));
        break;
      case 'answer':
        if (event.error === undefined) this.#asked.get(event.id)?.resolve(undefined);
        else this.#asked.get(event.id)?.reject(new Error(event.error));
    }
  }

  /** Resolves when the host has ended; what a killed host leaves behind is cleared here. */
  async #end(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#child.once('error', (error) => resolve(error.message));
    // "close" comes after the last event was read.
    this.#child.once('close', (code, signal) => resolve(signal ?? String(code)));
    const status = await promise;
    for (const pid of this.#pids.keys()) killGroup(pid, 'SIGKILL');
    const reason = `the stack's host process ended (${status})`;
    if (status !== '0') {
      if (this.#config.provider === 'container') await this.#removeContainers();
      await rm(this.#config.dir, { recursive: true, force: true, maxRetries: 10 });
    }
    this.#ready.reject(new HostFailure(reason));
    for (const answer of this.#asked.values()) answer.reject(new Error(reason));
  }

  async #removeContainers(): Promise<void> {
    try {
      // Loaded only when wanted: Testcontainers is large.
      const { removeStack } = await import('../providers/container.ts');
      await removeStack(this.#config.dir);
    } catch (error) {
      this.#onProgress?.(`containers may be left behind: ${(error as Error).message}`);
    }
  }
}
