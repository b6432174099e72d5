import type { Delivery, DeliveryFailure, DeliveryOutcome } from '@genesys-kafka/delivery';
import { sinkOptionInvalid } from '../../errors.ts';
import { namesKey, outcomeOf } from './http-answer.ts';

export interface ItemAnswerOptions {
  /** JSON pointer to the list of items in the answer's body; empty: the body is the list. */
  readonly items: string;
  /** JSON pointer to the status in an item. */
  readonly status: string;
  /** JSON pointer to the idempotency key in an item; without it, the items stand in the order of the records. */
  readonly key?: string | undefined;
}

/** So much of an answer is read: enough for an error text for each record. */
const BYTES_PER_RECORD = 4096;
const LEAST_BYTES = 65_536;
const MOST_BYTES = 16 * 1024 * 1024;

interface Item {
  readonly status: unknown;
  /** The item without the key that it is found by: a 409 may name the key in what is left. */
  readonly rest: unknown;
}

/** What a target says of each record of a request that it has taken as a whole. */
export class ItemAnswers {
  readonly #items: readonly string[];
  readonly #status: readonly string[];
  readonly #key: readonly string[] | undefined;
  /** Most bytes of an answer that are read. */
  readonly keepBytes: number;
  /** An answer has told of a record where the pointers say: what others do not tell is not the pointers' fault. */
  #areRight = false;

  /** Throws `sink-option-invalid` for what is no JSON pointer. */
  constructor(sink: string, { items, status, key }: ItemAnswerOptions, records: number) {
    const pointer = (option: string, text: string) => {
      if (text !== '' && !/^(?:\/(?:[^~]|~[01])*)+$/.test(text))
        throw sinkOptionInvalid(sink, `answers.${option}`, 'is not a JSON pointer such as /results');
      return text
        .split('/')
        .slice(1)
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    };
    this.#items = pointer('items', items);
    this.#status = pointer('status', status);
    this.#key = key === undefined ? undefined : pointer('key', key);
    this.keepBytes = Math.min(MOST_BYTES, LEAST_BYTES + records * BYTES_PER_RECORD);
  }

  /**
   * Each record's own outcome, by the rules of whole answers. What nothing is said of, or nothing that can be read, is
   * unknown, and tried again with the same key. While no answer has told of any record, the pointers are taken for
   * wrong: every record would be tried until it is given up, and the target may have taken each.
   */
  outcomesOf(
    text: string,
    {
      batch,
      httpStatus,
      retryAfterMs,
    }: {
      readonly batch: readonly Delivery[];
      readonly httpStatus: number;
      readonly retryAfterMs: number | undefined;
    },
  ): DeliveryOutcome[] {
    const unknown = (failure: DeliveryFailure): DeliveryOutcome => ({
      kind: 'retry',
      failure: { ...failure, httpStatus },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    const itemOf = this.#itemsIn(at(parsed(text), this.#items), batch.length);
    const found = batch.map((delivery, index): DeliveryOutcome => {
      if (!itemOf) return unknown(NO_ITEMS);
      const item = itemOf(delivery, index);
      if (item === undefined) return unknown(NOT_NAMED);
      const status = statusOf(item.status);
      if (status === undefined) return unknown(NO_STATUS);
      this.#areRight = true;
      const namesOurKey = status === 409 && namesKey(textsIn(item.rest), delivery.idempotencyKey);
      return outcomeOf({ status, namesOurKey, retryAfterMs, kind: 'json', usually: 'json' });
    });
    if (!this.#areRight) return found.map(misread);
    // Whoever takes some of a request lets us in: what it refuses beside them is about those records.
    if (!found.some(({ kind }) => kind === 'delivered')) return found;
    return found.map((one) => (one.kind === 'misconfigured' ? { kind: 'retry', failure: one.failure } : one));
  }

  /** Finds a record's item; undefined where there is no list. */
  #itemsIn(list: unknown, records: number) {
    if (!Array.isArray(list)) return undefined;
    return this.#key === undefined ? this.#byOrder(list, records) : this.#byKey(list, this.#key);
  }

  /** Whose item is whose cannot be told where their number is another. */
  #byOrder(list: readonly unknown[], records: number) {
    return (_delivery: Delivery, index: number): Item | undefined => {
      if (list.length !== records) return undefined;
      const item = list[index];
      return { status: at(item, this.#status), rest: item };
    };
  }

  #byKey(list: readonly unknown[], key: readonly string[]) {
    const known = new Map<string, Item | undefined>();
    for (const item of list) {
      const name = at(item, key);
      if (typeof name !== 'string') continue;
      const status = at(item, this.#status);
      // Two that contradict each other say nothing.
      const isNew = !known.has(name) || known.get(name)?.status === status;
      known.set(name, isNew ? { status, rest: without(item, key) } : undefined);
    }
    return ({ idempotencyKey }: Delivery): Item | undefined => known.get(idempotencyKey);
  }
}

const NO_ITEMS = { cause: 'items-missing', reason: 'the answer has no list of items where `answers.items` points' };
const NOT_NAMED = { cause: 'item-missing', reason: 'the answer does not say what became of this record' };
const NO_STATUS = { cause: 'item-unreadable', reason: 'the answer has no status where `answers.status` points' };

function misread(outcome: DeliveryOutcome): DeliveryOutcome {
  if (outcome.kind !== 'retry') return outcome;
  const { reason, ...failure } = outcome.failure;
  const why = `${reason}, nor did any before it; correct \`answers\` of the sink`;
  return { kind: 'misconfigured', failure: { ...failure, reason: why } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function at(value: unknown, pointer: readonly string[]): unknown {
  let found = value;
  for (const step of pointer) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

/** A copy without the member at the pointer. */
function without(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value).filter(([name]) => name !== step || rest.length > 0);
  return Object.fromEntries(entries.map(([name, item]) => [name, name === step ? without(item, rest) : item]));
}

/** The texts of a value and the names of its members, one after the other, however deep they lie. */
function textsIn(value: unknown): string {
  const texts: string[] = [];
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string') texts.push(one);
    if (typeof one !== 'object' || one === null) continue;
    for (const [name, member] of Object.entries(one)) {
      texts.push(name);
      left.push(member);
    }
  }
  return texts.join(' ');
}

/** A status of HTTP, as a number or as its digits. */
function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return Number.isInteger(status) && (status as number) >= 200 && (status as number) < 600
    ? (status as number)
    : undefined;
}
