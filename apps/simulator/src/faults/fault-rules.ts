import { z } from 'zod';

/** What a request is for, whatever its path: rules name it, statistics count by it. */
export const OPERATIONS = ['token', 'submit', 'status', 'results', 'availability', 'cancel', 'file'] as const;
export type Operation = (typeof OPERATIONS)[number];

const MILLISECONDS = z.int().min(0);
const BYTES = z.int().min(0);

/** What may go wrong. Offsets of the `file` operation count in the object, else in the answer's body. */
const FAULT = z.discriminatedUnion('kind', [
  /** The answer comes later. */
  z.strictObject({ kind: z.literal('latency'), ms: MILLISECONDS }),
  /** TCP reset once so many body bytes are sent; the request has been carried out. 0: no answer at all. */
  z.strictObject({ kind: z.literal('reset'), afterBytes: BYTES.default(0) }),
  /** The body stops after so many bytes and the connection stays open, or goes on at `bytesPerSecond`. */
  z.strictObject({ kind: z.literal('stall'), afterBytes: BYTES.default(0), bytesPerSecond: BYTES.default(0) }),
  /** This answer instead, without carrying the request out: 429, 5xx, an HTML page in place of a ZIP. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    /** Seconds or an HTTP date. Absent: no such header. */
    retryAfter: z.union([z.number().min(0), z.string()]).optional(),
    contentType: z.string().optional(),
    body: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  /** Content-Length says so many bytes more (or fewer) than are sent; the connection closes after the body. */
  z.strictObject({ kind: z.literal('content-length'), delta: z.int() }),
  /** `length` bytes from `offset` on are inverted. */
  z.strictObject({ kind: z.literal('corrupt'), offset: BYTES, length: z.int().min(1).default(1) }),
  /** Only the first so many bytes exist, and all headers agree with that. */
  z.strictObject({ kind: z.literal('truncate'), bytes: BYTES }),
  /** The token that the request bears is no longer good, for this request and later ones. */
  z.strictObject({ kind: z.literal('revoke-token') }),
  /** The job is in this state from now on. An archive's job knows only FAILED. */
  z.strictObject({
    kind: z.literal('job'),
    state: z.enum(['FAILED', 'CANCELLED', 'EXPIRED']),
    message: z.string().optional(),
  }),
  /** The page's cursor leads to the same page again. */
  z.strictObject({ kind: z.literal('cursor-loop') }),
  /** A page without conversations, but with a cursor. */
  z.strictObject({ kind: z.literal('empty-page') }),
  /** A page with at most so many conversations. */
  z.strictObject({ kind: z.literal('short-page'), records: z.int().min(1) }),
  /** The signed link is refused as expired. */
  z.strictObject({ kind: z.literal('expired-link') }),
  /** The object has another ETag; with `content`, other bytes too. */
  z.strictObject({ kind: z.literal('changed-object'), what: z.enum(['etag', 'content']).default('etag') }),
  /** A Range request is answered 200 with the whole object. */
  z.strictObject({ kind: z.literal('ignore-range') }),
]);

export type Fault = z.output<typeof FAULT>;
export type FaultKind = Fault['kind'];

/** Kinds that make sense for some operations only. */
const ONLY_FOR: Partial<Record<FaultKind, readonly Operation[]>> = {
  'revoke-token': ['submit', 'status', 'results', 'availability', 'cancel'],
  job: ['status', 'results'],
  'cursor-loop': ['results'],
  'empty-page': ['results'],
  'short-page': ['results'],
  'expired-link': ['file'],
  'changed-object': ['file'],
  'ignore-range': ['file'],
};

function isOperation(name: string): name is Operation {
  return (OPERATIONS as readonly string[]).includes(name);
}

const PATH_PATTERN = /^(\*|[A-Z]+) \/\S*$/;

const RULE = z
  .strictObject({
    /** An operation, or a method and a path in which `*` stands for any characters: `GET /api/v2/jobs/*`. */
    on: z.string().refine((on) => isOperation(on) || PATH_PATTERN.test(on), {
      error: `expected one of ${OPERATIONS.join(', ')}, or a method and a path such as "GET /api/v2/jobs/*"`,
    }),
    /** So many matching requests pass first. */
    after: z.int().min(0).default(0),
    /** Then so many are hit. */
    times: z.union([z.int().min(1), z.literal('always')]).default(1),
    /** Of those, this share, drawn from the simulator's seed. */
    share: z.number().gt(0).max(1).default(1),
    do: FAULT,
  })
  .superRefine((rule, context) => {
    const only = ONLY_FOR[rule.do.kind];
    if (only && isOperation(rule.on) && !only.includes(rule.on)) {
      context.addIssue({
        code: 'custom',
        path: ['do', 'kind'],
        message: `"${rule.do.kind}" does nothing on "${rule.on}"; it works on ${only.join(', ')}`,
      });
    }
  });

const SCRIPT = z.union([z.strictObject({ rules: z.array(RULE) }), z.array(RULE).transform((rules) => ({ rules }))]);

export type FaultRule = z.output<typeof RULE>;
export type FaultRuleInput = z.input<typeof RULE>;

/** A script that cannot be read; `problems` has one line for each mistake, each beginning with its path. */
export class FaultScriptError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The fault script is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'FaultScriptError';
    this.problems = problems;
  }
}

/**
 * Checks a script, `{rules: […]}` or a bare list of rules.
 * @throws FaultScriptError naming every mistake and where it is.
 */
export function parseFaultScript(input: unknown): readonly FaultRule[] {
  // A bare list is checked as such: a union's own message would name no path.
  const schema = Array.isArray(input) ? SCRIPT.options[1] : SCRIPT.options[0];
  const result = schema.safeParse(input);
  if (result.success) return result.data.rules;
  throw new FaultScriptError(
    result.error.issues.map((issue) => `${issue.path.map(String).join('.') || '(script)'}: ${issue.message}`),
  );
}
