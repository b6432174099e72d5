import type { Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { answerFacts, refusal, refusalReason } from './answers.ts';
import { badRequest, type CallFacts } from './call-errors.ts';
import type { GenesysError } from './errors.ts';
import type { Answer, AskAgain, Call, Exchange } from './exchange.ts';

/** Most answers are a few fields; pages bring their own cap. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Genesys' own limit on a request body, `request.bytes.max` (docs/genesys-cloud.md, "Rate limits"). */
const MAX_REQUEST_BYTES = 512_000;

interface RequestSpec {
  readonly operation: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  /** Named in the error when Genesys answers 403. */
  readonly permission: string;
  readonly json?: unknown;
  readonly maxBytes?: number;
  readonly again?: AskAgain;
  /** What a status outside 2xx means for this operation in particular; undefined leaves it to the common rules. */
  readonly refused?: (status: number, reason: string, facts: CallFacts) => GenesysError | undefined;
}

export type Request = (spec: RequestSpec, signal: AbortSignal) => Promise<{ call: Call; answer: Answer }>;

/** Requests to one API origin: resolves with a 2xx answer, rejects with a typed error or the signal's reason. */
export function requester(options: {
  readonly exchange: Exchange;
  readonly origin: string;
  readonly clock: Clock;
  /** Ends all calls when the client closes. */
  readonly lifetime: AbortSignal;
}): Request {
  return async (spec, signal) => {
    const body = spec.json === undefined ? undefined : JSON.stringify(spec.json);
    const call: Call = {
      operation: spec.operation,
      origin: options.origin,
      path: spec.path,
      method: spec.method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body ?? null,
      signal: AbortSignal.any([signal, options.lifetime]),
      maxBytes: spec.maxBytes ?? MAX_ANSWER_BYTES,
      ...(spec.again === undefined ? {} : { again: spec.again }),
    };
    if (body !== undefined && Buffer.byteLength(body) > MAX_REQUEST_BYTES) {
      const facts = { operation: spec.operation, host: new URL(options.origin).host };
      throw badRequest(facts, 413, `the query is larger than ${MAX_REQUEST_BYTES} bytes, not sent`);
    }
    const answer = await options.exchange(call);
    if (answer.status >= 200 && answer.status < 300) return { call, answer };
    const facts = answerFacts(call, answer);
    throw (
      spec.refused?.(answer.status, refusalReason(answer), facts) ??
      refusal(call, answer, spec.permission, options.clock)
    );
  };
}
