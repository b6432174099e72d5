import formbody from '@fastify/formbody';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { ArchiveStore } from './archives/archive-store.ts';
import { addControlRoutes } from './control-routes.ts';
import type { Conversations } from './conversations/conversations.ts';
import { openFileConversations } from './conversations/file-conversations.ts';
import { GeneratedConversations } from './conversations/generated-conversations.ts';
import { TextSpool } from './conversations/text-spool.ts';
import { addFaultHooks } from './faults/fault-hooks.ts';
import { FaultScript } from './faults/fault-script.ts';
import { addFilesRoutes, objectPath, xmlError } from './files/files-routes.ts';
import { LinkSigner } from './files/signed-link.ts';
import { addApiHooks, addCorrelationId, addJsonParser } from './genesys/api-hooks.ts';
import { ArchiveJobs } from './genesys/archive-jobs.ts';
import { addBulkArchiveRoutes } from './genesys/bulk-archive-routes.ts';
import { addDetailsJobsRoutes } from './genesys/details-jobs-routes.ts';
import { DetailsJobs } from './genesys/details-jobs.ts';
import { errorBody, rateLimitMessage } from './genesys/error-body.ts';
import { addLoginRoutes } from './genesys/login-routes.ts';
import { Tokens } from './genesys/tokens.ts';
import { JobLimits } from './limits/job-limits.ts';
import { RateLimit } from './limits/rate-limit.ts';
import { Refusals } from './limits/refusals.ts';
import { Availability } from './living/availability.ts';
import { LivingOrganisation } from './living/living-organisation.ts';
import { OrganisationClock } from './living/organisation-clock.ts';
import { unchanging } from './living/organisation.ts';
import type { Organisation } from './living/organisation.ts';
import { parseOptions } from './options.ts';
import type { SimulatorOptions, SimulatorSettings } from './options.ts';
import { RequestCounts } from './stats.ts';
import type { SimulatorStats } from './stats.ts';

/** A running stand-in. Addresses are origins without a slash at the end. */
export interface Simulator {
  readonly apiUrl: string;
  /** The same origin as `apiUrl`: the paths differ. */
  readonly loginUrl: string;
  readonly filesUrl: string;
  /** `host:port` of the files host. */
  readonly filesHost: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Those that the data lake holds now. */
  readonly conversations: Conversations;
  /** The organisation's time: a test moves it. */
  readonly clock: OrganisationClock;
  readonly faults: FaultScript;
  stats(): SimulatorStats;
  /** Ends both servers, cutting off what they are sending, and lets go of the spooled archives. */
  close(): Promise<void>;
}

/** The platform refuses larger request bodies (`request.bytes.max`). */
const BODY_LIMIT_BYTES = 512_000;

interface Parts {
  readonly settings: SimulatorSettings;
  readonly population: Population;
  readonly clock: OrganisationClock;
  readonly availability: Availability;
  readonly faults: FaultScript;
  readonly store: ArchiveStore;
  readonly detailsJobs: DetailsJobs;
  readonly archiveJobs: ArchiveJobs;
  readonly tokens: Tokens;
  readonly refusals: Refusals;
  readonly jobLimits: JobLimits;
  readonly signer: LinkSigner;
  readonly counts: RequestCounts;
}

/**
 * Starts a Genesys Cloud stand-in: API and login on one port, the files host on another.
 * Conversations of a file are read and spooled to disk first.
 * @throws SimulatorOptionsError, FaultScriptError; and Node's own error where a port cannot be had.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = parseOptions(options);
  const faults = new FaultScript(settings.seed);
  if (settings.faults !== undefined) faults.add(settings.faults as Parameters<FaultScript['add']>[0]);
  const population = await populationOf(settings);
  try {
    return await serve(assemble(settings, population, faults));
  } catch (error) {
    await population.close();
    throw error;
  }
}

interface Population {
  readonly organisation: Organisation;
  close(): Promise<void>;
}

async function populationOf(settings: SimulatorSettings): Promise<Population> {
  const { population, living, spoolTexts, seed, records, from: fromMs, to: toMs, invalid: invalidShare } = settings;
  if (living) {
    const { perDay, late, reopened, reprocessed, reviewed, vanished } = settings;
    const fates = { late, reopened, reprocessed, reviewed, vanished };
    const organisation = new LivingOrganisation({ seed, perDay, fromMs, toMs, invalidShare, fates });
    return { organisation, close: async () => undefined };
  }
  const conversations =
    population === undefined
      ? new GeneratedConversations(
          { seed, records, fromMs, toMs, invalidShare },
          spoolTexts ? await TextSpool.open(records) : undefined,
        )
      : await openFileConversations(population);
  return { organisation: unchanging(conversations), close: () => conversations.close() };
}

async function serve(parts: Parts): Promise<Simulator> {
  const { settings } = parts;
  const stats = (): SimulatorStats => ({
    requests: parts.counts.snapshot(),
    tokensIssued: parts.tokens.issued,
    jobs: {
      details: parts.detailsJobs.count,
      archives: parts.archiveJobs.count,
      openAtMost: parts.jobLimits.mostOpen,
    },
    limits: parts.refusals.report(),
    faults: parts.faults.report(),
  });
  const files = filesServer(parts);
  const filesUrl = await listen(files, settings, settings.filesPort);
  const api = apiServer(parts, filesUrl, stats);
  const apiUrl = await listen(api, settings, settings.port).catch(async (error: unknown) => {
    await files.close();
    throw error;
  });
  return {
    apiUrl,
    loginUrl: apiUrl,
    filesUrl,
    filesHost: new URL(filesUrl).host,
    clientId: settings.clientId,
    clientSecret: settings.clientSecret,
    get conversations() {
      return parts.population.organisation.asOf(parts.availability.nowMs());
    },
    clock: parts.clock,
    faults: parts.faults,
    stats,
    close: async () => {
      await Promise.all([api.close(), files.close()]);
      await parts.store.close();
      await parts.population.close();
    },
  };
}

function assemble(settings: SimulatorSettings, population: Population, faults: FaultScript): Parts {
  const { now } = settings;
  const timing = { durationMs: settings.jobMs, resultsMs: settings.resultsTtlSeconds * 1000 };
  const clock = new OrganisationClock(now, { startMs: settings.clock, speed: settings.speed });
  const refusals = new Refusals(now);
  const { concurrentJobs: concurrent, submitsPerSecond: perSecond } = settings;
  const jobLimits = new JobLimits({ concurrent, perSecond }, refusals, now);
  const store = new ArchiveStore(settings.compressionLevel);
  return {
    settings,
    population,
    clock,
    availability: new Availability(clock, {
      lagMs: settings.availabilityLagSeconds * 1000,
      stepMs: settings.availabilityStepSeconds * 1000,
      fixedMs: settings.availability,
    }),
    faults,
    store,
    detailsJobs: new DetailsJobs(timing, jobLimits, now),
    archiveJobs: new ArchiveJobs(timing, { limits: jobLimits, store, now }),
    tokens: new Tokens({ lifetimeMs: settings.tokenTtlSeconds * 1000, now }),
    refusals,
    jobLimits,
    signer: new LinkSigner(settings.linkTtlSeconds, now),
    counts: new RequestCounts(),
  };
}

function apiServer(parts: Parts, filesUrl: string, stats: () => SimulatorStats): FastifyInstance {
  const { settings, tokens, faults, refusals, availability, clock, jobLimits: limits } = parts;
  const { organisation } = parts.population;
  const availableMs = () => availability.nowMs();
  const server = newServer();
  void server.register(formbody);
  addJsonParser(server);
  addCorrelationId(server);
  addFaultHooks(server, {
    script: faults,
    errorBody: (status, retryAfter) => ({
      contentType: 'application/json',
      body: errorBody(status, status === 429 ? rateLimitMessage(Number(retryAfter) || 5) : `Made by rule: ${status}.`),
    }),
  });
  const rateLimit = new RateLimit(settings.ratePerMinute, settings.now);
  addApiHooks(server, { tokens, rateLimit, refusals, permissions: new Set(settings.permissions) });
  parts.counts.watch(server);
  addLoginRoutes(server, { clientId: settings.clientId, clientSecret: settings.clientSecret, tokens });
  const { seed, shortPages: shortShare, maxResults, maxResultsAt } = settings;
  addDetailsJobsRoutes(server, {
    organisation,
    jobs: parts.detailsJobs,
    limits,
    nowMs: () => clock.nowMs(),
    availableMs,
    maxResults,
    maxResultsAt,
    shortShare,
    seed,
  });
  addBulkArchiveRoutes(server, {
    organisation,
    jobs: parts.archiveJobs,
    limits,
    availableMs,
    link: (jobId) => filesUrl + parts.signer.sign(objectPath(jobId)),
  });
  addControlRoutes(server, { faults, stats, tokens, clock, availability, organisation });
  return server;
}

function filesServer(parts: Parts): FastifyInstance {
  const server = newServer();
  addFaultHooks(server, {
    script: parts.faults,
    errorBody: (status) => ({
      contentType: 'application/xml',
      body: xmlError('InternalError', `Made by rule: ${status}.`),
    }),
  });
  parts.counts.watch(server);
  addFilesRoutes(server, { ...parts, jobs: parts.archiveJobs });
  return server;
}

function newServer(): FastifyInstance {
  return fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true, exposeHeadRoutes: false });
}

async function listen(server: FastifyInstance, settings: SimulatorSettings, port: number): Promise<string> {
  const address = await server.listen({ host: settings.host, port });
  const url = new URL(address);
  if (settings.publicHost !== undefined) url.hostname = settings.publicHost;
  return url.origin;
}
