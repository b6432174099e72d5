import type { Delivery, DeliveryOutcome } from '@genesys-kafka/delivery';
import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Answer } from '../client/http-client.ts';
import { isWholePage, kindOfAnswer, namesKey, outcomeOf } from './http-answer.ts';
import type { ItemAnswers } from './item-answers.ts';
import { RefusedRecords } from './refused-records.ts';

/** It says of each record apart what became of it (RFC 4918, 11.1): taken for a success of all, it would hide losses. */
const EACH_APART: DeliveryOutcome = {
  kind: 'misconfigured',
  failure: {
    cause: 'http-207',
    reason: 'the target answered 207, which tells of each record apart; say where in `answers` of the sink',
    httpStatus: 207,
  },
};

/** Pages of nginx that speak of us and of no record, though their status is the one of a malformed record. */
const PAGES_ABOUT_US: readonly (readonly [RegExp, cause: string, reason: string])[] = [
  [
    /<title>400 (?:The SSL certificate error|No required SSL certificate was sent)<\/title>/,
    'certificate-refused',
    'the web server at the target does not take our certificate, or was shown none; see `tls` of the sink',
  ],
  [
    /<title>400 The plain HTTP request was sent to HTTPS port<\/title>/,
    'plain-http',
    'the web server at the target speaks TLS at this port; write https: in the url',
  ],
];

/** What an answer means for each record of its request. It remembers of the target how it answers, and whom it refused. */
export class BatchOutcomes {
  readonly #items: ItemAnswers | undefined;
  readonly #takesPages: boolean;
  readonly #clock: Clock;
  readonly #refusals = new RefusedRecords();
  #usually: 'json' | 'other' | undefined;

  /** `takesPages`: the target answers with pages of HTML where it takes records. */
  constructor(items: ItemAnswers | undefined, takesPages: boolean, clock: Clock) {
    this.#items = items;
    this.#takesPages = takesPages;
    this.#clock = clock;
  }

  /** A request begins; the number by which `of` is told which it was. */
  begin(): number {
    return this.#refusals.begin();
  }

  /** `requestKey` is the idempotency key that the request bore. */
  of(
    answer: Answer,
    batch: readonly Delivery[],
    { request, requestKey }: { readonly request: number; readonly requestKey: string },
  ): readonly DeliveryOutcome[] {
    const { statusCode, text } = answer;
    const retryAfterMs = retryAfterOf(answer.headers, this.#clock.nowMs());
    const isEachApart = this.#items !== undefined && statusCode >= 200 && statusCode < 300;
    const told = isEachApart
      ? this.#items.outcomesOf(text, { batch, httpStatus: statusCode, retryAfterMs })
      : this.#ofWhole(answer, batch, { requestKey, retryAfterMs });
    if (told.some(({ kind }) => kind === 'delivered' || kind === 'rejected')) {
      this.#refusals.letIn(request, keysOf(batch));
      return told;
    }
    return !isEachApart && told.some(isUnclear) ? this.#ofRefusal(told, batch) : told;
  }

  /** The request was sent, or could not be, and `outcome` is what the lack of an answer means. */
  ofNoAnswer(outcome: DeliveryOutcome, batch: readonly Delivery[]): readonly DeliveryOutcome[] {
    const told = batch.map(() => outcome);
    return isUnclear(outcome) ? this.#ofRefusal(told, batch) : told;
  }

  #ofWhole(
    { statusCode: status, headers, text }: Answer,
    batch: readonly Delivery[],
    { requestKey, retryAfterMs }: { readonly requestKey: string; readonly retryAfterMs: number | undefined },
  ): readonly DeliveryOutcome[] {
    if (status === 207) return batch.map(() => EACH_APART);
    const refusal = status === 400 ? aboutUs(text) : undefined;
    if (refusal) return batch.map(() => refusal);
    const kind = kindOfAnswer(headerOf(headers, 'content-type'));
    const namesOurKey = status === 409 && this.#namesOurKey({ headers, text }, batch, requestKey);
    const isPage = kind === 'html' && !this.#takesPages && isWholePage(text);
    const outcome = outcomeOf({ status, namesOurKey, retryAfterMs, kind, isPage, usually: this.#usually });
    if (outcome.kind === 'delivered' && this.#usually !== 'json') this.#usually = kind === 'json' ? 'json' : 'other';
    if (batch.length === 1) return [outcome];
    const forEach = outcome.kind === 'rejected' ? ({ ...outcome, ofSeveral: true } as const) : outcome;
    return batch.map(() => forEach);
  }

  /**
   * Where one of the records is known to be at fault, it is looked for among several, and what stands alone is tried again
   * until it is given up.
   */
  #ofRefusal(told: readonly DeliveryOutcome[], batch: readonly Delivery[]): readonly DeliveryOutcome[] {
    if (!this.#refusals.refused(keysOf(batch))) return told;
    return told.map((outcome) => {
      if (outcome.kind !== 'misconfigured' && outcome.kind !== 'retry') return outcome;
      const { failure } = outcome;
      if (batch.length > 1) return { kind: 'rejected', failure, ofSeveral: true };
      if (outcome.kind === 'retry') return outcome;
      const reason = `the target takes other records and refuses this one (${failure.cause})`;
      return { kind: 'retry', failure: { ...failure, reason } };
    });
  }

  /** The request's own, or that of its only record. */
  #namesOurKey({ headers, text }: Omit<Answer, 'statusCode'>, batch: readonly Delivery[], requestKey: string): boolean {
    const named = `${headerOf(headers, 'idempotency-key') ?? ''} ${text}`;
    return namesKey(named, requestKey) || (batch.length === 1 && namesKey(named, batch[0]!.idempotencyKey));
  }
}

/**
 * About us and the target's state, or about one of the records: a firewall's refusal, by its status or by a page, and what
 * a target does that stumbles over a record: by its own answer, a proxy's, or none.
 */
const UNCLEAR = new Set(['http-403', 'http-500', 'http-502', 'html-answer', 'connection-reset', 'timeout']);

function isUnclear(outcome: DeliveryOutcome): boolean {
  if (outcome.kind !== 'misconfigured' && outcome.kind !== 'retry') return false;
  return UNCLEAR.has(outcome.failure.cause);
}

function keysOf(batch: readonly Delivery[]): readonly string[] {
  return batch.map(({ idempotencyKey }) => idempotencyKey);
}

function aboutUs(text: string): DeliveryOutcome | undefined {
  const found = PAGES_ABOUT_US.find(([page]) => page.test(text));
  if (!found) return undefined;
  const [, cause, reason] = found;
  return { kind: 'misconfigured', failure: { cause, reason, httpStatus: 400 } };
}
