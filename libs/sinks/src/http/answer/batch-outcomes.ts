import type { Delivery, DeliveryOutcome } from '@genesys-kafka/delivery';
import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import type { Answer } from '../client/http-client.ts';
import { kindOfAnswer, namesKey, outcomeOf } from './http-answer.ts';
import type { ItemAnswers } from './item-answers.ts';

/** It says of each record apart what became of it (RFC 4918, 11.1): taken for a success of all, it would hide losses. */
const EACH_APART: DeliveryOutcome = {
  kind: 'misconfigured',
  failure: {
    cause: 'http-207',
    reason: 'the target answered 207, which tells of each record apart; say where in `answers` of the sink',
    httpStatus: 207,
  },
};

/** What an answer means for each record of its request. It remembers one thing of the target: whether it answers in JSON. */
export class BatchOutcomes {
  readonly #items: ItemAnswers | undefined;
  readonly #clock: Clock;
  #usuallyJson = false;

  constructor(items: ItemAnswers | undefined, clock: Clock) {
    this.#items = items;
    this.#clock = clock;
  }

  /** `requestKey` is the idempotency key that the request bore. */
  of(answer: Answer, batch: readonly Delivery[], requestKey: string): readonly DeliveryOutcome[] {
    const { statusCode: status, headers, text } = answer;
    const retryAfterMs = retryAfterOf(headers, this.#clock.nowMs());
    if (this.#items && status >= 200 && status < 300)
      return this.#items.outcomesOf(text, { batch, httpStatus: status, retryAfterMs });
    if (status === 207) return batch.map(() => EACH_APART);
    const kind = kindOfAnswer(headerOf(headers, 'content-type'));
    const namesOurKey = status === 409 && this.#namesOurKey(answer, batch, requestKey);
    const outcome = outcomeOf({ status, namesOurKey, retryAfterMs, kind, usuallyJson: this.#usuallyJson });
    if (outcome.kind === 'delivered' && kind === 'json') this.#usuallyJson = true;
    if (batch.length === 1) return [outcome];
    const forEach = outcome.kind === 'rejected' ? ({ ...outcome, ofSeveral: true } as const) : outcome;
    return batch.map(() => forEach);
  }

  /** The request's own, or that of its only record. */
  #namesOurKey({ headers, text }: Answer, batch: readonly Delivery[], requestKey: string): boolean {
    const named = `${headerOf(headers, 'idempotency-key') ?? ''} ${text}`;
    return namesKey(named, requestKey) || (batch.length === 1 && namesKey(named, batch[0]!.idempotencyKey));
  }
}
