import { setTimeout as delay } from 'node:timers/promises';
import { NotReadyError, type ProcessGroup } from '../host/process-group.ts';
import type { Servers } from './download.ts';
import { SHORT_LIVED } from './java.ts';

/** Where Apicurio Registry serves Confluent's API. */
export const APICURIO_PATH = '/apis/ccompat/v7';

const READY_TIMEOUT_MS = 120_000;

/** Apicurio Registry as a plain process, its schemas in memory; resolves with the URL when it answers. */
export async function startRegistry(options: {
  readonly group: ProcessGroup;
  readonly java: string;
  readonly servers: Servers;
  readonly port: number;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { group, java, servers, port, signal } = options;
  const args = [
    '-Xmx256m',
    SHORT_LIVED,
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${port}`,
    '-jar',
    servers.registryJar,
  ];
  const registry = await group.spawn('registry', java, args, { cwd: servers.registryDir });
  const url = `http://127.0.0.1:${port}${APICURIO_PATH}`;
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  // The process is looked at too: on a port somebody else has taken, somebody else may answer.
  while (!(await answers(`${url}/subjects`, signal)) || !registry.running) {
    if (!registry.running) throw new NotReadyError(registry, 'ended before it was ready');
    if (performance.now() > deadlineMs) {
      throw new NotReadyError(registry, `was not ready after ${READY_TIMEOUT_MS / 1000} s`);
    }
    await delay(100, undefined, { signal });
  }
  return url;
}

/** True if a GET succeeds within two seconds. */
async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
