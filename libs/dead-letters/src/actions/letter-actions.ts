import { randomUUID } from 'node:crypto';
import type { KafkaClient } from '@genesys-kafka/kafka';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { MARKER_HEADER, type TopicSize } from '@genesys-kafka/topics';
import { z } from 'zod';
import type { LetterPlace } from '../objects/letter-place.ts';

const ACTION = z.object({
  v: z.literal(1),
  id: z.string(),
  action: z.enum(['replay', 'purge', 'export']),
  state: z.enum(['begun', 'ended', 'failed']),
  /** User and machine. */
  by: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** As it was given. */
  filter: z.record(z.string(), z.string()),
  /** How many dead letters, by what became of them; of one that has ended, or, where it is known, until it failed. */
  counts: z.record(z.string(), z.number()).optional(),
});

/** Who did what with which dead letters: one when it begins, one when it has ended, with the same id. */
export type LetterAction = Readonly<z.infer<typeof ACTION>>;

type Counts = Readonly<Record<string, number>>;

export interface ActionPorts {
  readonly client: Pick<KafkaClient, 'producer'>;
  /** Absent where dead letters go to object storage alone. */
  readonly deadLetters: TopicSize | undefined;
  readonly objects: LetterPlace | undefined;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

export const ACTIONS = '_actions/';
/** An end is told also where the command was stopped. */
const LAST_WORD_MS = 5000;

/**
 * Does what is asked for between two records of it, kept where the dead letters are: on their topic, in their storage,
 * or in both. What cannot be recorded is not begun.
 */
export async function recorded<T extends object>(
  ports: ActionPorts,
  what: Pick<LetterAction, 'action' | 'by' | 'filter'>,
  work: () => Promise<T>,
  countsOf: (done: T) => Counts,
  countsSoFar: () => Counts | undefined = () => undefined,
): Promise<T> {
  const id = randomUUID();
  const tell = async (state: LetterAction['state'], signal: AbortSignal, more: object = {}) => {
    const at = new Date((ports.clock ?? systemClock).nowMs()).toISOString();
    await write(ports, { v: 1, id, ...what, state, at, ...more }, signal);
  };
  await tell('begun', ports.signal);
  let done: T;
  try {
    done = await work();
  } catch (error) {
    const counts = countsSoFar();
    const more = counts === undefined ? {} : { counts };
    await tell('failed', AbortSignal.timeout(LAST_WORD_MS), more).catch(() => undefined);
    throw error;
  }
  await tell('ended', ports.signal, { counts: countsOf(done) });
  return done;
}

async function write({ client, deadLetters, objects }: ActionPorts, action: LetterAction, signal: AbortSignal) {
  const text = JSON.stringify(action);
  if (objects) {
    const { store, bucket, prefix } = objects;
    const day = action.at.slice(0, 10).replaceAll('-', '/');
    const key = `${prefix}${ACTIONS}${day}/${action.at.slice(11, 23).replaceAll(':', '')}-${action.id}.json`;
    await store.put({ bucket, key }, Buffer.from(text), signal);
  }
  if (!deadLetters) return;
  const producer = client.producer();
  try {
    const record = { key: null, value: null, headers: { [MARKER_HEADER.action]: text, [MARKER_HEADER.at]: action.at } };
    await producer.send({ topic: deadLetters.topic, partition: 0 }, [record]);
  } finally {
    await producer.close();
  }
}

/** Undefined for what is none. */
export function parseAction(text: string): LetterAction | undefined {
  try {
    return ACTION.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
