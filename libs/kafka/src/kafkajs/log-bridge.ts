import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { logLevel, type KafkaConfig, type LogEntry } from 'kafkajs';

export type KafkaLogger = (
  level: 'warn' | 'debug',
  message: string,
  details: Readonly<Record<string, string | number | boolean>>,
) => void;

/** The fields of kafkajs's log entries that are safe and of use; the rest (stacks, payloads) is left out. */
const FIELDS = ['error', 'broker', 'groupId', 'memberId', 'topic', 'partition', 'retryCount', 'retryTime'] as const;

/** kafkajs warns on every idempotent producer with a bound on retries; ours is thrown away after a failed send. */
const IGNORED = ['Limiting retries for the idempotent producer may invalidate EoS guarantees'];

/** What comes with every retry: it either heals or is reported by the call that gives up. */
const ROUTINE = /^(?:Response |Failed to send messages: |Failed to connect to seed broker)/;

/** A line says nothing new when it comes again within this time: while brokers are away each group tells of each attempt. */
const TELL_EVERY_MS = 30_000;
const MOST_LINES = 1000;

/**
 * kafkajs's log at our logger. Its debug level is never asked for: it prints the answers to login requests. Its
 * errors are retried or come back as a `KafkaError`, so here they are warnings at most.
 */
export function bridgeLogs(
  log: KafkaLogger,
  clock: Pick<Clock, 'monotonicMs'> = systemClock,
): Pick<KafkaConfig, 'logLevel' | 'logCreator'> {
  const told = new Map<string, { readonly atMs: number; repeated: number }>();
  const warn = (message: string, details: ReturnType<typeof safeDetails>) => {
    const line = JSON.stringify([message, details]);
    const last = told.get(line);
    const atMs = clock.monotonicMs();
    if (last && atMs - last.atMs < TELL_EVERY_MS) {
      last.repeated += 1;
      return;
    }
    if (told.size >= MOST_LINES) told.clear();
    told.set(line, { atMs, repeated: 0 });
    log('warn', message, last && last.repeated > 0 ? { ...details, repeated: last.repeated } : details);
  };
  return {
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      if (IGNORED.includes(entry.log.message)) return;
      const message = `kafkajs: ${entry.log.message}`;
      if (ROUTINE.test(entry.log.message)) log('debug', message, safeDetails(entry));
      else warn(message, safeDetails(entry));
    },
  };
}

function safeDetails(entry: LogEntry): Record<string, string | number | boolean> {
  const details: Record<string, string | number | boolean> = { source: entry.namespace };
  for (const field of FIELDS) {
    const value: unknown = entry.log[field];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') details[field] = value;
    else if (value instanceof Error) details[field] = value.message;
  }
  return details;
}
