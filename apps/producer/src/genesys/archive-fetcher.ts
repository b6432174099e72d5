import { ArchiveError, inspectArchive, spool, type Archive, type SpooledFile } from '@genesys-kafka/archive';
import { EndCheck } from '@genesys-kafka/record-parser';
import { unlessAborted } from '@genesys-kafka/resilience';
import type { Logger } from '@genesys-kafka/runtime';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Settings } from '../settings.ts';
import { clockGuard } from './clock-guard.ts';
import { regionFileHosts } from './file-hosts.ts';

/** Called when a download begins; what it gives is told of its bytes on disk so far, and its length once that is known. */
export type OnDownload = () => (bytes: number, totalBytes?: number) => void;

/** An archive that goes away with what was spooled for it. */
export type OpenArchive = Archive & AsyncDisposable;

type DownloadFrom = Pick<Parameters<typeof spool>[0], 'link' | 'allowedHosts' | 'trustedHosts' | 'ifMatch'>;

/** A stalled body is given up after this long, and so is one that is slower than this over a stretch. */
const IDLE_TIMEOUT_MS = 30_000;
const MIN_BYTES_PER_SECOND = 1024;
const MAX_ENTRIES = 10_000;

/**
 * Downloads archives, whole, before anyone reads from them. What was fetched for a name is kept until it
 * is released, so that work which begins again after an interruption does not download it again.
 */
export class ArchiveFetcher implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #downloads: LimitFunction;
  readonly #onDownload: OnDownload | undefined;
  readonly #onAnswer: ReturnType<typeof clockGuard>;
  readonly #kept = new Map<string, OpenArchive>();
  readonly #fetching = new Set<Promise<Archive>>();

  constructor(settings: Settings, log: Logger, onDownload?: OnDownload) {
    this.#settings = settings;
    this.#downloads = pLimit(settings.genesys.concurrentDownloads);
    this.#onDownload = onDownload;
    this.#onAnswer = clockGuard(settings, log);
  }

  /** `link` is called for the first link and again when one has expired. Raises ArchiveError. */
  async fetch(name: string, link: () => Promise<string>, signal: AbortSignal): Promise<Archive> {
    const kept = this.#kept.get(name);
    if (kept) return kept;
    const hosts = this.#settings.genesys.fileHosts;
    const fetching = this.#downloads(async () => {
      // Others were before it.
      signal.throwIfAborted();
      const archive = await this.#download({ link, allowedHosts: hosts }, signal);
      this.#kept.set(name, archive);
      return archive;
    });
    this.#fetching.add(fetching);
    const settled = () => this.#fetching.delete(fetching);
    fetching.then(settled, settled);
    return unlessAborted(fetching, signal);
  }

  /** A local file, read where it is. */
  async open(path: string, signal: AbortSignal): Promise<OpenArchive> {
    const archive = await this.#inspect(path, signal);
    return { ...archive, [Symbol.asyncDispose]: async () => undefined };
  }

  /** A link from the command line, which nobody renews. An https: host that the operator names is allowed by that. */
  async download(link: string, signal: AbortSignal): Promise<OpenArchive> {
    const url = URL.parse(link);
    const own = url?.protocol === 'https:' ? [url.host] : [];
    const allowedHosts = [...this.#settings.genesys.fileHosts, ...own];
    return this.#downloads(async () => this.#download({ link: async () => link, allowedHosts }, signal));
  }

  /** An object by a link that its storage has signed; where the storage is, the operator has said. */
  async object(link: () => Promise<string>, host: string, signal: AbortSignal): Promise<OpenArchive> {
    const from = { link, allowedHosts: [], trustedHosts: [host], ifMatch: true };
    return this.#downloads(async () => this.#download(from, signal));
  }

  async release(name: string): Promise<void> {
    const kept = this.#kept.get(name);
    this.#kept.delete(name);
    await kept?.[Symbol.asyncDispose]();
  }

  /** Waits for downloads that were aborted: each of them removes its file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#fetching);
    await Promise.all([...this.#kept.keys()].map((name) => this.release(name)));
  }

  async #download(from: DownloadFrom, signal: AbortSignal): Promise<OpenArchive> {
    const settings = this.#settings;
    const file: SpooledFile = await spool({
      ...from,
      signal,
      spoolDir: settings.spool.dir,
      publicHosts: regionFileHosts(settings),
      allowInsecureHttp: settings.tls.allowInsecureHttp,
      maxBytes: settings.archive.maxBytes,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      minBytesPerSecond: MIN_BYTES_PER_SECOND,
      proxy: settings.proxy,
      onAnswer: this.#onAnswer,
      ...(this.#onDownload ? { onProgress: this.#onDownload() } : {}),
    });
    try {
      const archive = await this.#inspect(file.path, signal, file.endProven);
      return { ...archive, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Where the download did not tell its end, the content has to, before anything is made of it: a ZIP by its directory,
   * JSON by its last bracket.
   */
  async #inspect(path: string, signal: AbortSignal, endProven = true): Promise<Archive> {
    const { archive, record } = this.#settings;
    const end = endProven ? undefined : new EndCheck(record.maxDepth);
    const inspected = await inspectArchive(
      path,
      { maxRatio: archive.maxRatio, maxBytes: archive.maxBytes, maxEntries: MAX_ENTRIES },
      { signal, onContent: (chunk) => end?.push(chunk) },
    );
    if (end && inspected.kind !== 'zip' && !end.isClosed) {
      const what = `The connection closed after ${inspected.compressedBytes} bytes of a ${inspected.kind} file that shows no end.`;
      throw new ArchiveError('download-unproven', what);
    }
    return inspected;
  }
}
