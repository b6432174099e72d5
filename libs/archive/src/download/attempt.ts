import type { Readable } from 'node:stream';
import { networkFault, type TimedAnswer } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { ArchiveError } from '../errors.ts';
import { arrived } from './body.ts';
import { encodingOf } from './encoding.ts';
import { describeLink, type LinkRules } from './link-rules.ts';
import { interpret, provesItsEnd, rangeCondition, type Progress, type RestartCause, type Verdict } from './response.ts';
import type { SpoolFile } from './spool-file.ts';
import { validatorsOf } from './validators.ts';
import { Watchdog } from './watchdog.ts';

const MAX_REDIRECTS = 3;
/** Enough of a refusal to see what it calls itself. */
const MAX_REFUSAL_BYTES = 8 * 1024;

export type FetchOutcome =
  | { readonly kind: 'complete' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'restart'; readonly because: RestartCause }
  /** The host sent a shorter part than asked for, whole. */
  | { readonly kind: 'more' }
  /** `reason` completes "the host …". */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    };

interface FetchContext {
  readonly rules: LinkRules;
  readonly dispatcher: Dispatcher;
  readonly file: SpoolFile;
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly idleTimeoutMs: number;
  readonly minBytesPerSecond: number;
  readonly ifMatch?: boolean | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number, totalBytes?: number) => void;
  readonly onAnswer?: (answer: TimedAnswer) => void;
  /** The host sent the whole object to a range request: called before its first byte is written at 0. */
  readonly onRestart: (because: RestartCause) => Promise<void>;
}

/**
 * One request, redirects included, and as much of its body as comes; `progress` is moved on with every byte written.
 * Network failures are outcomes, everything else is thrown.
 */
export async function fetchOnce(link: URL, progress: Progress, context: FetchContext): Promise<FetchOutcome> {
  const stop = new AbortController();
  const signal = context.signal ? AbortSignal.any([context.signal, stop.signal]) : stop.signal;
  const watchdog = new Watchdog(context);
  let stalled: string | undefined;
  const watching = watchdog.watch(signal).then(
    (fault) => {
      stalled = fault;
      stop.abort(new Error(fault));
    },
    () => undefined,
  );
  try {
    return await follow(link, progress, context, watchdog, signal);
  } catch (error) {
    context.signal?.throwIfAborted();
    // What makes the file whole has come: how the connection ended then does not matter.
    if (progress.total !== undefined && progress.received === progress.total) return { kind: 'complete' };
    if (stalled !== undefined) return { kind: 'retry', reason: stalled };
    return networkFailure(error, link);
  } finally {
    stop.abort();
    await watching;
  }
}

async function follow(
  link: URL,
  progress: Progress,
  context: FetchContext,
  watchdog: Watchdog,
  signal: AbortSignal,
): Promise<FetchOutcome> {
  let url = link;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const sentMs = context.clock.nowMs();
    const { statusCode, headers, body } = await context.dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: requestHeaders(progress, context.ifMatch),
      signal,
    });
    // A body that is not read to its end reports so when it is dropped.
    body.on('error', () => undefined);
    try {
      context.onAnswer?.({ host: url.host, headers, sentMs, receivedMs: context.clock.nowMs() });
      const shown = describeLink(url);
      const text = statusCode === 400 ? await beginningOf(body) : '';
      const answer = { status: statusCode, headers, text, ifMatch: context.ifMatch };
      const verdict = interpret(answer, progress, context.clock.nowMs(), shown);
      if (verdict.kind === 'redirect') {
        url = context.rules.check(verdict.location, url);
        continue;
      }
      if (verdict.kind === 'retry') {
        return { kind: 'retry', reason: `answered ${verdict.status}`, retryAfterMs: verdict.retryAfterMs };
      }
      if (verdict.kind !== 'body') return verdict;
      const facts = {
        validators: validatorsOf(headers),
        encoding: encodingOf(headers, shown),
        endProven: provesItsEnd(headers),
      };
      return await receive(body, { ...verdict, ...facts }, progress, context, watchdog);
    } finally {
      body.destroy();
    }
  }
  throw new ArchiveError(
    'link-too-many-redirects',
    `${describeLink(link)} redirects more than ${MAX_REDIRECTS} times.`,
  );
}

/** No Authorization, ever: the link is its own credential, and its host is not the API's. */
function requestHeaders(progress: Progress, ifMatch = false): Record<string, string> {
  const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity' };
  const condition = rangeCondition(progress);
  if (condition !== undefined) {
    headers.range = `bytes=${progress.received}-`;
    headers[ifMatch && condition === progress.validators.etag ? 'if-match' : 'if-range'] = condition;
  }
  return headers;
}

async function beginningOf(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of arrived(body)) {
    text += chunk.toString('latin1');
    if (text.length >= MAX_REFUSAL_BYTES) break;
  }
  return text.slice(0, MAX_REFUSAL_BYTES);
}

type Body = Verdict & { readonly kind: 'body' } & Pick<Progress, 'validators' | 'encoding' | 'endProven'>;

async function receive(
  body: Readable,
  verdict: Body,
  progress: Progress,
  context: FetchContext,
  watchdog: Watchdog,
): Promise<FetchOutcome> {
  const { at, end, total, validators, encoding, endProven } = verdict;
  if (verdict.restart !== undefined && progress.received > 0) await context.onRestart(verdict.restart);
  // What is continued is the object that it was begun as; a later answer may say less about it.
  if (progress.received === 0) Object.assign(progress, { validators, encoding });
  Object.assign(progress, { total, endProven });
  const tooLarge = (bytes: number) =>
    new ArchiveError('download-too-large', `The file has ${bytes} bytes or more; the limit is ${context.maxBytes}.`);
  if (total !== undefined) {
    if (total > context.maxBytes) throw tooLarge(total);
    await context.file.reserve(total - progress.received);
  }
  let position = at;
  for await (const chunk of arrived(body)) {
    watchdog.received(chunk.length);
    if (position + chunk.length > context.maxBytes) throw tooLarge(position + chunk.length);
    if (end !== undefined && position + chunk.length > end) return { kind: 'restart', because: 'range' };
    // What is on disk already must come again as it was: a part that lies about its place shows here.
    const known = Math.min(chunk.length, Math.max(0, progress.received - position));
    if (known > 0 && !(await context.file.holds(chunk.subarray(0, known), position))) {
      return { kind: 'restart', because: 'range' };
    }
    await context.file.write(chunk.subarray(known), position + known);
    position += chunk.length;
    progress.received = Math.max(progress.received, position);
    context.onProgress?.(progress.received, total);
  }
  if (end === undefined) return { kind: 'complete' };
  // A length that is reached is an end, however the connection was closed.
  progress.endProven = true;
  if (progress.received === total) return { kind: 'complete' };
  if (position === end) return { kind: 'more' };
  return { kind: 'retry', reason: `closed the connection at byte ${position} of ${total}` };
}

function networkFailure(error: unknown, { host }: URL): FetchOutcome {
  const fault = networkFault(error);
  if (!fault) throw error;
  const { cause, code, error: kept } = fault;
  if (cause === 'tls-refused') {
    throw new ArchiveError('download-untrusted', `No trusted TLS connection to ${host} (${code}).`, { cause: kept });
  }
  if (cause === 'proxy-refused') {
    const remedy = 'Check HTTPS_PROXY and its login, or add the host to NO_PROXY.';
    throw new ArchiveError('download-refused', `The proxy does not connect to ${host} (it answered ${code}).`, {
      remedy,
    });
  }
  const reason = cause === 'not-http' ? 'sent an answer that is no HTTP' : `broke the connection (${code})`;
  return { kind: 'retry', reason, cause: kept };
}
