import { count, duration, inMs, percentage, size } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** How many retry topics there can be: whoever looks for those that are left over looks no further. */
export const MOST_TIERS = 20;

const RATE = z
  .strictObject({
    max: count(1, 1_000_000).meta({ description: 'Deliveries started…' }),
    per: duration(10).prefault('1s').meta({ description: '…in any span of this length.' }),
  })
  .transform(inMs('per'));

const BREAKER = z
  .strictObject({
    errors: percentage()
      .refine((ratio) => ratio > 0, { error: 'would open the circuit without a failure; write more than 0%' })
      .prefault('50%')
      .meta({ description: 'Share of failures that opens the circuit…' }),
    over: count(1, 10_000).prefault(20).meta({ description: '…among this many latest deliveries.' }),
    cooldown: duration(100).prefault('30s').meta({ description: 'How long it stays open before a probe.' }),
    maxWait: duration(1000).prefault('5m').meta({
      description: 'Longest wait that a target may ask for with Retry-After; a longer one is cut, and probed then.',
    }),
  })
  .transform(({ errors, over, cooldown, maxWait }) => ({
    errorsRatio: errors,
    over,
    cooldownMs: cooldown,
    maxWaitMs: maxWait,
  }));

const weight = (of: string, value: number) =>
  count(1, 1000)
    .prefault(value)
    .meta({ description: `Turns of routes of the priority ${of}, in proportion.` });

const WEIGHTS = z
  .strictObject({ high: weight('high', 16), normal: weight('normal', 4), low: weight('low', 1) })
  .prefault({});

/** Keys of every sink, whatever its type: its gate, shared by all routes that name it. */
export const GATE_KEYS = {
  concurrency: count(1, 1000).prefault(16).meta({ description: 'Deliveries in flight at a time.' }),
  rate: RATE.optional(),
  rateFloor: z.number().min(0.001).max(1000).prefault(0.1).meta({
    kind: '0.001–1000',
    description: 'Deliveries a second that are tried at least, however often the target answers 429.',
  }),
  weights: WEIGHTS,
  replayShare: percentage()
    .refine((ratio) => ratio >= 0.01 && ratio <= 0.9, { error: 'is not between 1% and 90%' })
    .prefault('20%')
    .meta({ description: 'Share of deliveries in flight, and of turns while others wait, for replayed dead letters.' }),
  breaker: BREAKER.prefault({}),
};

/** `batch` of a sink whose requests hold several records; `defaults` are the sink's own. Parsed, it is a `BatchLimits`. */
export const batchSection = (defaults: { readonly records: number; readonly bytes: string; readonly age: string }) =>
  z
    .strictObject({
      records: count(1, 100_000).prefault(defaults.records).meta({ description: 'A request goes at so many records…' }),
      bytes: size().prefault(defaults.bytes).meta({
        description: '…or at so many bytes of records (one that is larger goes alone)…',
      }),
      age: duration(0).prefault(defaults.age).meta({ description: '…or when its first record has waited so long.' }),
    })
    .transform(inMs('age'))
    .prefault({});

/** `retry`: what becomes of a delivery that failed and may be tried again. */
export const RETRY_SECTION = z
  .strictObject({
    tiers: z
      .array(duration(100))
      .min(1)
      .max(MOST_TIERS)
      .prefault(['5s', '1m', '10m'])
      .meta({ kind: 'list of durations', description: 'Waits of the retry topics, rising.' }),
    attempts: count(0, 100).optional().meta({
      description:
        'Retries before the dead letter. Without it, as many as there are tiers; past the last, the last repeats.',
    }),
    blocking: z.boolean().prefault(false).meta({
      description: 'Keeps the order of each key: no retry topics, the key waits.',
    }),
  })
  .superRefine(({ tiers }, context) => {
    tiers.forEach((waitMs, index) => {
      if (index === 0 || waitMs > tiers[index - 1]!) return;
      context.addIssue({
        code: 'custom',
        path: ['tiers', index],
        message: 'is not longer than the tier before it; write the tiers in rising order',
      });
    });
  })
  .transform(({ tiers, attempts, blocking }) => ({ tiersMs: tiers, attempts: attempts ?? tiers.length, blocking }))
  .prefault({});
