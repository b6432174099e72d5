import { z } from 'zod';
import { instantMs } from './genesys/interval.ts';

/** A setting that cannot be used; `problems` has one line for each mistake. */
export class SimulatorOptionsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The simulator cannot start with these settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'SimulatorOptionsError';
    this.problems = problems;
  }
}

/** All that the stand-in may hold against a client; a list without one of them shows its 403. */
const ALL_PERMISSIONS = ['analytics:conversationDetail:view', 'analytics:conversation:view', 'job:view', 'job:manage'];

const INSTANT = z.union([z.date(), z.string()]).transform((value, context) => {
  const ms = value instanceof Date ? value.getTime() : instantMs(value.includes('T') ? value : `${value}T00:00Z`);
  if (ms !== undefined && !Number.isNaN(ms)) return ms;
  context.addIssue({ code: 'custom', message: 'expected a day (2025-10-01) or an instant (2025-10-01T06:00:00Z)' });
  return z.NEVER;
});

const PORT = z.int().min(0).max(65_535);
const SHARE = z.number().min(0).max(1);

const POPULATION_FIELDS = {
  /** Every record, fault share and short page follows from it. */
  seed: z.int().min(0).max(0xffff_fffe).default(1),
  records: z.int().min(1).max(100_000_000).default(20_000),
  /** Conversations start from here … */
  from: INSTANT.prefault('2025-10-01'),
  /** … until before here. */
  to: INSTANT.prefault('2025-10-02'),
  /** Share of records that are invalid on purpose. */
  invalid: SHARE.default(0),
  /** Deflate level of archives: 0 stored … 9. */
  compressionLevel: z.int().min(0).max(9).default(6),
};

/** What befalls conversations that live after their end (`Fates`), as shares of them. */
const FATES = {
  late: SHARE.default(0.02),
  reopened: SHARE.default(0.05),
  reprocessed: SHARE.default(0.2),
  reviewed: SHARE.default(0.1),
  vanished: SHARE.default(0.01),
};

const ORDERED = { error: 'to: must be later than from' };
const isOrdered = (value: { from: number; to: number }): boolean => value.from < value.to;

/** Settings of the conversations alone. */
const POPULATION = z.strictObject(POPULATION_FIELDS).refine(isOrdered, ORDERED);

const SIMULATOR = z
  .strictObject({
    ...POPULATION_FIELDS,
    /** Keeps the generated texts on disk: for load tests, whose subject is not to wait for the stand-in. */
    spoolTexts: z.boolean().default(false),
    /** A file of conversations to serve instead of generated ones. */
    population: z.string().min(1).optional(),
    /** Conversations start, end, change and vanish as the organisation's time goes by. */
    living: z.boolean().default(false),
    /** So many of them start in a day. */
    perDay: z.int().min(1).max(10_000_000).default(20_000),
    ...FATES,
    /** The organisation's time at the start. Default: the real time. */
    clock: INSTANT.optional(),
    /** Its seconds in a real one; 0: it stands still. */
    speed: z.number().min(0).max(10_000).default(1),
    /** API and login; 0 = a free port. */
    port: PORT.default(0),
    /** Files host; 0 = a free port. */
    filesPort: PORT.default(0),
    host: z.string().min(1).default('127.0.0.1'),
    /** The name others reach this machine by, where it is not `host` (in a container). */
    publicHost: z.string().min(1).optional(),
    clientId: z.string().min(1).default('simulator-client'),
    clientSecret: z.string().min(1).default('simulator-secret'),
    permissions: z.array(z.string()).default(ALL_PERMISSIONS),
    /** Life of an access token in seconds (the platform allows 300 to 172,800). */
    tokenTtlSeconds: z.number().gt(0).default(86_400),
    /** Life of a signed link in seconds. */
    linkTtlSeconds: z.number().gt(0).default(3600),
    /** Requests per token and minute. */
    ratePerMinute: z.int().min(1).default(300),
    /** Jobs that may be open at once, and be submitted within a second. Default: any number. */
    concurrentJobs: z.int().min(1).optional(),
    submitsPerSecond: z.int().min(1).optional(),
    /** A details job gives no more results than these: the next page is refused, or the job fails. */
    maxResults: z.int().min(1).optional(),
    maxResultsAt: z.enum(['page', 'job']).default('page'),
    /** From a job's submission to its end. */
    jobMs: z.int().min(0).default(250),
    /** From a job's end until its results expire, in seconds. */
    resultsTtlSeconds: z.number().gt(0).default(86_400),
    /** Data from this moment on is not there yet. Default: it moves with the organisation's time. */
    availability: INSTANT.optional(),
    /** So far behind it, in seconds of it … */
    availabilityLagSeconds: z.number().min(0).default(3600),
    /** … and in steps of so many; 0: without steps. */
    availabilityStepSeconds: z.number().min(0).default(0),
    /** Share of result pages that come back short, some of them empty with a cursor. */
    shortPages: SHARE.default(0.05),
    /** Fault rules, `{rules: […]}` or a list. */
    faults: z.unknown().optional(),
    /** ms since the epoch; tests bring their own. */
    now: z.custom<() => number>((value) => typeof value === 'function').default(() => () => Date.now()),
  })
  .refine(isOrdered, ORDERED);

export type SimulatorOptions = z.input<typeof SIMULATOR>;
export type SimulatorSettings = z.output<typeof SIMULATOR>;
export type PopulationOptions = z.input<typeof POPULATION>;
export type PopulationSettings = z.output<typeof POPULATION>;

/** What describes generated conversations, and says nothing about those of a file. */
const GENERATED_ONLY = ['records', 'from', 'to', 'invalid', 'living', 'spoolTexts'] as const;
/** What describes those that live, or those that do not. */
const LIVING_ONLY = ['perDay', ...(Object.keys(FATES) as (keyof typeof FATES)[])] as const;
const FIXED_ONLY = ['records', 'spoolTexts'] as const;

/** @throws SimulatorOptionsError naming every mistake. */
export function parseOptions(options: SimulatorOptions): SimulatorSettings {
  const idle = [
    ...(options.population === undefined
      ? []
      : idleIn(options, GENERATED_ONLY, 'is not for the conversations of a file')),
    ...(options.living === true
      ? idleIn(options, FIXED_ONLY, 'is not for conversations that live: perDay says how many start')
      : idleIn(options, LIVING_ONLY, 'is for conversations that live')),
  ];
  if (idle.length > 0) throw new SimulatorOptionsError(idle);
  const settings = parse(SIMULATOR, options.living === true ? { ...options, to: options.to ?? FAR_AWAY } : options);
  return options.living === true && options.to === undefined ? { ...settings, to: Infinity } : settings;
}

/** Later than any start: an end that was not asked for is none. */
const FAR_AWAY = '9999-12-31';

function idleIn(options: SimulatorOptions, names: readonly (keyof SimulatorOptions)[], why: string): readonly string[] {
  const isGiven = (name: keyof SimulatorOptions) => options[name] !== undefined && options[name] !== false;
  return names.filter(isGiven).map((name) => `${name}: ${why}; leave it out`);
}

/** @throws SimulatorOptionsError naming every mistake. */
export function parsePopulation(options: PopulationOptions): PopulationSettings {
  return parse(POPULATION, options);
}

function parse<T>(schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  throw new SimulatorOptionsError(
    result.error.issues.map((issue) =>
      issue.path.length ? `${issue.path.join('.')}: ${issue.message}` : issue.message,
    ),
  );
}
