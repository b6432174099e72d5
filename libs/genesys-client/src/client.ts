import { connections } from '@genesys-kafka/http/connections';
import { systemClock } from '@genesys-kafka/resilience';
import { RequestBudget, type BudgetState } from './budget/request-budget.ts';
import { bulkArchiveApi, type BulkArchiveApi } from './contracts/bulk-archive.ts';
import { detailsJobsApi, type AvailabilityApi, type DetailsJobsApi } from './contracts/details-jobs.ts';
import { exchanging } from './exchange.ts';
import { auth } from './interceptors/auth.ts';
import { budget } from './interceptors/budget.ts';
import { decode } from './interceptors/decode.ts';
import { report } from './interceptors/report.ts';
import { retry } from './interceptors/retry.ts';
import { timed } from './interceptors/timed.ts';
import { minimumProgress, totalTime } from './interceptors/time-limits.ts';
import { transportErrors } from './interceptors/transport-errors.ts';
import { parseSettings, type GenesysClientOptions } from './options.ts';
import { requester } from './request.ts';
import { TokenSource } from './token-source.ts';

/** Both job contracts of Genesys Cloud behind one login and one request budget. */
export interface GenesysClient extends AvailabilityApi, AsyncDisposable {
  readonly detailsJobs: DetailsJobsApi;
  readonly bulkArchive: BulkArchiveApi;
  /** How much of the request budget is used. */
  readonly budget: BudgetState;
  /** Which part of the organisation's budget this process may use: `1 / n` of n that share it. In force at once. */
  setBudgetShare(share: number): void;
  /** Ends what is under way (those calls reject) and closes the connections. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** 1 KiB/s. */
const LEAST_PROGRESS = { minBytes: 30_720, stretchMs: 30_000 };
const BACKOFF = { initialMs: 500, maxMs: 30_000 };

/**
 * Makes a client; nothing is sent before the first call. Every call rejects with a `GenesysError`, or with the reason of its signal, which ends it at once. Retries are made here: an error that comes out has
 * had them. Raises `genesys-settings` for unusable settings.
 */
export function createGenesysClient(options: GenesysClientOptions): GenesysClient {
  const { clock = systemClock, random = Math.random, onEvent = () => undefined, onAnswer, ...input } = options;
  const settings = parseSettings(input);
  const closing = new AbortController();
  const agent = connections({
    proxy: settings.proxy,
    connections: settings.maxConnections,
    allowH2: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: settings.headersTimeoutMs,
    bodyTimeout: settings.bodyIdleTimeoutMs,
  });
  const { requestsPerSecond: perSecond, retryMaxElapsedMs: maxHoldMs } = settings;
  const requests = new RequestBudget({ perSecond, maxHoldMs, clock });
  const policy = { ...BACKOFF, attempts: settings.retryAttempts, maxElapsedMs: settings.retryMaxElapsedMs };

  // From the connection outwards: each wraps the ones before it.
  const anonymous = agent.compose(
    minimumProgress(LEAST_PROGRESS),
    decode(),
    transportErrors(),
    totalTime(settings.requestTimeoutMs),
    report(clock, onEvent),
    timed(clock, onAnswer ?? (() => undefined)),
    budget(requests, { clock, onEvent }),
    retry(policy, { clock, random, onEvent }),
  );
  const { loginUrl, clientId, clientSecret } = settings;
  const login = { loginUrl, clientId, clientSecret, clock, onEvent, lifetime: closing.signal };
  const tokens = new TokenSource({ ...login, exchange: exchanging(anonymous.dispatch.bind(anonymous)) });
  const authorised = anonymous.compose(auth(tokens));

  const request = requester({
    exchange: exchanging(authorised.dispatch.bind(authorised)),
    origin: settings.apiUrl,
    clock,
    lifetime: closing.signal,
  });
  const ports = { request, host: new URL(settings.apiUrl).host, clock, onEvent };
  const { availability, ...detailsJobs } = detailsJobsApi({ ...ports, maxPageBytes: settings.maxPageBytes });
  const close = async () => {
    closing.abort(new Error('the Genesys client was closed'));
    await agent.destroy();
  };
  return {
    availability,
    detailsJobs,
    bulkArchive: bulkArchiveApi(ports),
    get budget() {
      return requests.state;
    },
    setBudgetShare: (share) => requests.setShare(share),
    close,
    [Symbol.asyncDispose]: close,
  };
}
