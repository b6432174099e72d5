import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { corrupted, firstBytes, resetAfter, stalled } from './body-faults.ts';
import type { Fault, FaultKind, Operation } from './fault-rules.ts';
import type { FaultScript } from './fault-script.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation;
  }
}

export interface FaultHooksOptions {
  readonly script: FaultScript;
  /** Body and type of an error that the real server would have sent with this status. */
  readonly errorBody: (
    status: number,
    retryAfter: number | string | undefined,
  ) => { contentType: string; body: string };
}

const FAULTS_OF = new WeakMap<FastifyRequest, readonly Fault[]>();

/** The fault of this kind that befalls the request, if any. */
export function faultOf<K extends FaultKind>(request: FastifyRequest, kind: K): (Fault & { kind: K }) | undefined {
  return FAULTS_OF.get(request)?.find((fault): fault is Fault & { kind: K } => fault.kind === kind);
}

/**
 * Lets the script act on a server. Latency and made-up answers come before anything else; what happens to a body
 * comes after the handler. Faults of jobs, pages, tokens and objects are the handlers' business.
 */
export function addFaultHooks(server: FastifyInstance, options: FaultHooksOptions): void {
  const closing = new AbortController();
  server.addHook('preClose', () => closing.abort());

  server.addHook('onRequest', async (request, reply) => {
    const { operation } = request.routeOptions.config;
    const path = request.url.split('?', 1)[0] ?? '';
    const faults = path.startsWith('/_simulator') ? [] : options.script.take(operation, request.method, path);
    FAULTS_OF.set(request, faults);
    const latency = faultOf(request, 'latency');
    if (latency) await delay(latency.ms, undefined, { signal: closing.signal }).catch(() => undefined);
    const made = faultOf(request, 'status');
    if (made) return sendMadeUp(reply, made, options);
  });

  server.addHook('onSend', async (request, reply, payload: unknown) => {
    const faults = FAULTS_OF.get(request)?.filter((fault) => BODY_FAULTS.has(fault.kind)) ?? [];
    return faults.length === 0 ? payload : faultyBody(request, reply, payload, faults);
  });
}

const BODY_FAULTS: ReadonlySet<FaultKind> = new Set(['reset', 'stall', 'content-length', 'corrupt', 'truncate']);

function sendMadeUp(reply: FastifyReply, fault: Fault & { kind: 'status' }, options: FaultHooksOptions): FastifyReply {
  const usual = options.errorBody(fault.status, fault.retryAfter);
  if (fault.retryAfter !== undefined) void reply.header('retry-after', String(fault.retryAfter));
  void reply.headers(fault.headers ?? {});
  return reply
    .code(fault.status)
    .type(fault.contentType ?? usual.contentType)
    .send(fault.body ?? usual.body);
}

async function faultyBody(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  faults: readonly Fault[],
): Promise<Readable> {
  const socket = request.raw.socket;
  const isFile = request.routeOptions.config.operation === 'file';
  let body = bodyOf(payload);
  for (const fault of faults) {
    switch (fault.kind) {
      case 'corrupt':
        // A file's offsets count in the object; the files host has applied it.
        if (!isFile) body = corrupted(body, fault, 0);
        break;
      case 'truncate':
        if (isFile) break;
        body = firstBytes(body, fault.bytes);
        void reply.removeHeader('content-length');
        break;
      case 'content-length': {
        let length = Number(reply.getHeader('content-length'));
        if (Number.isNaN(length)) {
          const whole = await collect(body);
          length = whole.length;
          body = bodyOf(whole);
        }
        void reply.header('content-length', Math.max(0, length + fault.delta)).header('connection', 'close');
        break;
      }
      case 'stall':
        body = stalled(body, fault, socket);
        break;
      case 'reset':
        body = resetAfter(body, fault.afterBytes, socket);
        break;
      default:
        break;
    }
  }
  return Readable.from(body, { objectMode: false });
}

async function* bodyOf(payload: unknown): AsyncIterable<Buffer> {
  if (payload instanceof Readable) {
    for await (const chunk of payload) yield chunk as Buffer;
  } else if (typeof payload === 'string' || payload instanceof Uint8Array) {
    yield Buffer.from(payload as string);
  }
}

/** Pages are streamed: only this fault has to know their length. */
async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
