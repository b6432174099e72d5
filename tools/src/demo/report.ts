import { peak, type Finished } from './processes.ts';
import type { LetterStory } from './letters.ts';
import type { ReadBack } from './read-back.ts';
import type { ConsumerReport, ProducerReport, Scenario } from './stage.ts';
import { table } from './table.ts';

/** What the two programs say, and what the topics hold. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly produced: ProducerReport;
  readonly producer: Finished;
  readonly consumed: ConsumerReport;
  readonly consumer: Finished;
  readonly found: ReadBack;
  /** Of the last scenario. */
  readonly letters?: LetterStory;
}

const PRODUCER_HEAD = [
  'contract',
  'read',
  'published',
  'invalid',
  'unchanged',
  'on topic',
  'twice',
  'speed',
  'peak memory',
  '',
];
const ROUTE_HEAD = ['contract', 'route', 'published', 'delivered', 'dead letters', 'retries', 'peak memory', ''];

const LETTER_HEAD = ['route', 'refused', 'dead letters', 'replayed', 'delivered', 'twice', 'open', ''];
const STORE_NAMES = { objects: 'object storage', topic: 'their topic' };

/** Prints what was read from the topics beside what the programs say; true when both agree and every sum is right. */
export function tellOutcomes(outcomes: readonly Outcome[]): boolean {
  let adds = true as boolean;
  const check = (isRight: boolean): string => {
    if (!isRight) adds = false;
    return isRight ? '✔' : '✖';
  };
  const producers = outcomes.map(({ scenario, produced: { records, bytes, seconds }, producer, found }) => {
    const { read, published, invalid, unchanged } = records;
    const sums = read === published + invalid + unchanged && read > 0;
    const agrees = found.published === published && found.invalid === invalid && found.twice === 0;
    const rate = `${(bytes / 2 ** 20 / seconds).toFixed(1)} MB/s`;
    return [
      scenario.name,
      read,
      published,
      invalid,
      unchanged,
      found.published,
      found.twice,
      rate,
      peak(producer),
      check(sums && agrees),
    ];
  });
  const routes = outcomes.flatMap(({ scenario, consumed, consumer, found }) => {
    const configured = Object.entries(consumed.routes).filter(([name]) => name !== 'unrouted');
    const deadLetters = configured.reduce((sum, [, counts]) => sum + counts.deadLettered, 0);
    return configured.map(([name, { delivered, retried, deadLettered }]) => {
      const published = found.forRoute[name] ?? 0;
      const isRight = published === delivered + deadLettered && deadLetters === found.deadLetters;
      return [scenario.name, name, published, delivered, deadLettered, retried, peak(consumer), check(isRight)];
    });
  });
  process.stdout.write(`\nread = published + invalid + unchanged\n${table([PRODUCER_HEAD, ...producers])}\n`);
  process.stdout.write(`\npublished = delivered + dead letters, per route\n${table([ROUTE_HEAD, ...routes])}\n`);
  for (const { letters } of outcomes) {
    if (letters) process.stdout.write(`\n${letterTable(letters, check)}\n`);
  }
  return adds;
}

function letterTable({ store, routes }: LetterStory, check: (isRight: boolean) => string): string {
  const rows = routes.map(({ name, refused, deadLetters, replayed, delivered, twice, open }) => {
    const isRight = [deadLetters, replayed, delivered].every((count) => count === refused) && twice === 0 && open === 0;
    return [name, refused, deadLetters, replayed, delivered, twice, open, check(isRight)];
  });
  const heading = `refused = dead letters = replayed from ${STORE_NAMES[store]} = delivered, once each`;
  return `${heading}\n${table([LETTER_HEAD, ...rows])}`;
}
