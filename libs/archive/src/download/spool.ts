import type { Proxy, TimedAnswer } from '@genesys-kafka/http';
import { backoffMs, systemClock, type BackoffOptions, type Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { ArchiveError } from '../errors.ts';
import { fetchOnce, type FetchOutcome } from './attempt.ts';
import { withoutLayer } from './encoding.ts';
import { describeLink, LinkRules, type LinkRuleOptions } from './link-rules.ts';
import { NOTHING, type Progress, type RestartCause } from './response.ts';
import { SpoolFile } from './spool-file.ts';

export interface SpoolOptions extends LinkRuleOptions {
  /** The link to the file; called again when the host refuses the last one, as it does once that has expired. */
  readonly link: () => Promise<string>;
  /** Created when missing. */
  readonly spoolDir: string;
  /**
   * It is the proxy that resolves names then: `allowedHosts` and addresses written in a link still hold, what a name
   * stands for cannot be checked.
   */
  readonly proxy?: Proxy | undefined;
  readonly maxBytes: number;
  readonly idleTimeoutMs: number;
  readonly minBytesPerSecond: number;
  /**
   * Continues with `If-Match`, which S3 knows, instead of `If-Range`: the host answers 412 where the file has changed.
   * Either way an answer about another version is not spliced.
   */
  readonly ifMatch?: boolean | undefined;
  readonly retry?: DownloadRetry;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly signal?: AbortSignal;
  /** Bytes on disk, and the length of the file once it is known. The count falls back to 0 when the file changed. */
  readonly onProgress?: (bytes: number, totalBytes?: number) => void;
  /** Sees the head of every answer, for holding clocks against each other; what it throws ends the download. */
  readonly onAnswer?: (answer: TimedAnswer) => void;
}

interface DownloadRetry {
  /** Failures in a row without a new byte. */
  readonly attempts: number;
  readonly maxElapsedMs: number;
  readonly backoff: BackoffOptions;
}

const DOWNLOAD_RETRY: DownloadRetry = {
  attempts: 8,
  maxElapsedMs: 2 * 3_600_000,
  backoff: { initialMs: 500, factor: 2, maxMs: 30_000, jitterMs: 500 },
};

/** How often the object may change under us, and how often in a row a new link may be refused. */
const MAX_RESTARTS = 3;
const MAX_REFUSALS = 2;
/** A host that asks for more patience than this counts as down. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/** A complete file of ours; disposing removes it. */
export interface SpooledFile extends AsyncDisposable {
  readonly path: string;
  readonly bytes: number;
  /**
   * Whether a length or a last chunk told where the file ends. If not, a connection that broke looks the same as the
   * end, and only the file's own structure can tell.
   */
  readonly endProven: boolean;
}

/**
 * Downloads a link into the spool directory, resuming by range where the object provably is the same one, and
 * beginning anew where it is not: bytes of two objects are never joined. Resolves with the whole file, without a
 * gzip layer that the host has put around an archive; whether it is an archive is for `inspectArchive` to say. Whatever goes wrong, the file is removed.
 * Rejects with ArchiveError (`link-…`, `download-…`, `source-changed`, `spool-…`), with what `link` throws, or with the
 * signal's reason. No message holds a query string, and no request carries credentials.
 */
export async function spool(options: SpoolOptions): Promise<SpooledFile> {
  options.signal?.throwIfAborted();
  const rules = new LinkRules(options);
  let file = await SpoolFile.create(options.spoolDir);
  let dispatcher: Dispatcher | undefined;
  try {
    // Archives that are local files are read without an HTTP client.
    const { downloadConnections } = await import('./download-connections.ts');
    dispatcher = downloadConnections(options.proxy, rules);
    const { received, endProven, encoding } = await new Download(options, rules, dispatcher, file).run();
    let bytes = received;
    if (encoding === 'gzip') ({ file, bytes } = await withoutLayer({ file, bytes }, options));
    await file.close();
    const spooled = file;
    return { path: spooled.path, bytes, endProven, [Symbol.asyncDispose]: () => spooled.remove() };
  } catch (error) {
    await file.remove();
    throw error;
  } finally {
    await dispatcher?.destroy();
  }
}

class Download {
  readonly #options: SpoolOptions;
  readonly #rules: LinkRules;
  readonly #dispatcher: Dispatcher;
  readonly #file: SpoolFile;
  readonly #clock: Clock;
  readonly #retry: DownloadRetry;
  readonly #progress: Progress = { ...NOTHING };
  #failures = 0;
  #refusals = 0;
  #restarts = 0;

  constructor(options: SpoolOptions, rules: LinkRules, dispatcher: Dispatcher, file: SpoolFile) {
    this.#options = options;
    this.#rules = rules;
    this.#dispatcher = dispatcher;
    this.#file = file;
    this.#clock = options.clock ?? systemClock;
    this.#retry = options.retry ?? DOWNLOAD_RETRY;
  }

  /** What is known of the complete file. */
  async run(): Promise<Readonly<Progress>> {
    const startMs = this.#clock.monotonicMs();
    let link = await this.#options.link();
    for (;;) {
      const before = this.#progress.received;
      const url = this.#rules.check(link);
      const outcome = await fetchOnce(url, this.#progress, {
        ...this.#options,
        clock: this.#clock,
        rules: this.#rules,
        dispatcher: this.#dispatcher,
        file: this.#file,
        onRestart: (because) => this.#restart(because, url),
      });
      if (outcome.kind === 'complete') return this.#progress;
      if (this.#progress.received > before) {
        this.#failures = 0;
        this.#refusals = 0;
      }
      if (outcome.kind === 'more') continue;
      if (outcome.kind === 'restart') await this.#restart(outcome.because, url);
      else if (outcome.kind === 'refused') link = await this.#renew(link, outcome.status, url);
      else await this.#wait(outcome, startMs, url);
    }
  }

  /** Forgets what was received. Nothing was published from it, so this costs time alone, but not without bound. */
  async #restart(because: RestartCause, url: URL): Promise<void> {
    this.#restarts += 1;
    if (this.#restarts > MAX_RESTARTS) {
      throw restartFailure(because, this.#restarts, describeLink(url));
    }
    Object.assign(this.#progress, NOTHING);
    await this.#file.truncate();
    this.#options.onProgress?.(0);
  }

  async #renew(link: string, status: number, url: URL): Promise<string> {
    this.#refusals += 1;
    const fresh = this.#refusals > MAX_REFUSALS ? link : await this.#options.link();
    if (fresh !== link) return fresh;
    throw new ArchiveError('link-refused', `${describeLink(url)} answered ${status}.`, { details: { status } });
  }

  async #wait(outcome: FetchOutcome & { kind: 'retry' }, startMs: number, url: URL): Promise<void> {
    this.#failures += 1;
    const elapsedMs = this.#clock.monotonicMs() - startMs;
    const { attempts, maxElapsedMs, backoff } = this.#retry;
    const waitMs = Math.max(backoffMs(backoff, this.#failures - 1, this.#options.random), outcome.retryAfterMs ?? 0);
    if (
      this.#failures >= attempts ||
      elapsedMs + waitMs > maxElapsedMs ||
      waitMs > MAX_RETRY_AFTER_MS + backoff.jitterMs
    ) {
      throw new ArchiveError(
        'download-failed',
        `Gave up on ${describeLink(url)} after ${this.#failures} failures in a row, at byte ${this.#progress.received}: it ${outcome.reason}.`,
        { cause: outcome.cause, details: { received: this.#progress.received } },
      );
    }
    await this.#clock.sleep(waitMs, this.#options.signal);
  }
}

function restartFailure(because: RestartCause, times: number, shown: string): ArchiveError {
  if (because === 'changed') {
    return new ArchiveError('source-changed', `${shown} changed ${times} times during the download.`);
  }
  if (because === 'range') {
    return new ArchiveError('download-bad-range', `${shown} answers with other ranges than asked for.`);
  }
  const what = `${shown} broke off ${times} times and cannot be continued: it serves no ranges, or names no version.`;
  return new ArchiveError('download-not-resumable', what);
}
