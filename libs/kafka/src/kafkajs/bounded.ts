import { setTimeout as delay } from 'node:timers/promises';
import { KafkaError } from '../errors.ts';

/** Resolves when `work` settles or after `ms`, whichever comes first; never rejects. */
export async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController();
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  try {
    await Promise.race([settled, delay(ms, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

/** kafkajs bounds the number of its attempts, not their time: with brokers that swallow packets they take minutes. */
export async function answeredWithin<T>(work: Promise<T>, ms: number, doing: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `No end of "${doing}" within ${ms} ms; the outcome is unknown. Check that the brokers are healthy.`;
    late.reject(new KafkaError('broker-unreachable', message, { retry: true }));
  }, ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
