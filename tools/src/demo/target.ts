import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface TargetCounts {
  /** Requests for a record that had been accepted before. */
  repeated: number;
  /** How often each record was accepted, by path and key. */
  readonly accepted: Map<string, number>;
  /** Those that were refused, by path and key. */
  readonly refused: Set<string>;
  tooMany: number;
  unavailable: number;
}

export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly counts: TargetCounts;
  /** Is told of each record that is taken for the first time. */
  onDelivered: () => void;
  /** From now on it takes whatever it refused. */
  mend(): void;
}

const ANSWER_MS = 15;
/** How long the target is in trouble, from its first request on. */
const TROUBLE_MS = 2500;
/** One record of so many is refused until the target is mended. */
const REFUSED_SHARE = 400;

/**
 * A downstream system on a bad day: slow always, busy (429) or down (503) for every third request of its first seconds,
 * and with some records that it does not take (422) until it is mended.
 */
export async function startTarget(): Promise<Target> {
  const accepted = new Map<string, number>();
  const counts: TargetCounts = { repeated: 0, accepted, refused: new Set(), tooMany: 0, unavailable: 0 };
  let isMended = false;
  let firstMs: number | undefined;
  let requests = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    await once(request, 'end');
    await delay(ANSWER_MS);
    const key = String(request.headers['idempotency-key']);
    // Each route has a path of its own, and may bring the same record.
    const record = `${request.url} ${key}`;
    requests += 1;
    firstMs ??= performance.now();
    const inTrouble = performance.now() - firstMs < TROUBLE_MS;
    if (!isMended && isRefused(key)) {
      counts.refused.add(record);
      return response.writeHead(422).end();
    }
    if (inTrouble && requests % 6 === 0) {
      counts.tooMany += 1;
      return response.writeHead(429, { 'retry-after': '1' }).end();
    }
    if (inTrouble && requests % 6 === 3) {
      counts.unavailable += 1;
      return response.writeHead(503).end();
    }
    const before = accepted.get(record) ?? 0;
    accepted.set(record, before + 1);
    if (before === 0) target.onDelivered();
    else counts.repeated += 1;
    return response.writeHead(204).end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target: Target = {
    onDelivered: () => undefined,
    counts,
    mend: () => (isMended = true),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return target;
}

/** By the record's ordinal: the job before it has another name each time, and of few records none might be refused. */
function isRefused(key: string): boolean {
  return Number(key.slice(key.lastIndexOf(':') + 1)) % REFUSED_SHARE === 0;
}
