import { networkFault } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { ArchiveError } from '../errors.ts';
import { describeLink, type LinkRules } from './link-rules.ts';
import { checkEncoding, interpret, type Progress, type Verdict } from './response.ts';
import type { SpoolFile } from './spool-file.ts';
import { Watchdog } from './watchdog.ts';

const MAX_REDIRECTS = 3;

export type FetchOutcome =
  | { readonly kind: 'complete' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'restart'; readonly because: 'changed' | 'range' }
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
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number, totalBytes?: number) => void;
  /** The host sent the whole object to a range request: called before its first byte is written at 0. */
  readonly onRestart: (because: 'changed') => Promise<void>;
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
    const { statusCode, headers, body } = await context.dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: requestHeaders(progress),
      signal,
    });
    // A body that is not read to its end reports so when it is dropped.
    body.on('error', () => undefined);
    try {
      const shown = describeLink(url);
      const verdict = interpret(statusCode, headers, progress, context.clock.nowMs(), shown);
      if (verdict.kind === 'redirect') {
        url = context.rules.check(verdict.location, url);
        continue;
      }
      if (verdict.kind === 'retry') {
        return { kind: 'retry', reason: `answered ${verdict.status}`, retryAfterMs: verdict.retryAfterMs };
      }
      if (verdict.kind !== 'body') return verdict;
      checkEncoding(headers, shown);
      return await receive(body, verdict, progress, context, watchdog);
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
function requestHeaders(progress: Progress): Record<string, string> {
  const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity' };
  if (progress.received > 0 && progress.validator !== undefined) {
    headers.range = `bytes=${progress.received}-`;
    headers['if-range'] = progress.validator;
  }
  return headers;
}

async function receive(
  body: AsyncIterable<Buffer>,
  verdict: Verdict & { kind: 'body' },
  progress: Progress,
  context: FetchContext,
  watchdog: Watchdog,
): Promise<FetchOutcome> {
  // Without a validator no range was asked for, and with one this is another object, or a host that knows no ranges.
  if (verdict.at === 0 && progress.received > 0) await context.onRestart('changed');
  const { total } = verdict;
  Object.assign(progress, { received: verdict.at, total, validator: verdict.validator });
  const tooLarge = (bytes: number) =>
    new ArchiveError('download-too-large', `The file has ${bytes} bytes or more; the limit is ${context.maxBytes}.`);
  if (total !== undefined) {
    if (total > context.maxBytes) throw tooLarge(total);
    await context.file.reserve(total - verdict.at);
  }
  for await (const chunk of body) {
    watchdog.received(chunk.length);
    if (progress.received + chunk.length > context.maxBytes) throw tooLarge(progress.received + chunk.length);
    await context.file.write(chunk, progress.received);
    progress.received += chunk.length;
    context.onProgress?.(progress.received, total);
  }
  if (total === undefined || progress.received === total) return { kind: 'complete' };
  if (progress.received > total) return { kind: 'restart', because: 'range' };
  return { kind: 'retry', reason: `closed the connection at byte ${progress.received} of ${total}` };
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
