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

/**
 * kafkajs's log at our logger. Its debug level is never asked for: it prints the answers to login requests. Its
 * errors are retried or come back as a `KafkaError`, so here they are warnings at most.
 */
export function bridgeLogs(log: KafkaLogger): Pick<KafkaConfig, 'logLevel' | 'logCreator'> {
  return {
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      if (IGNORED.includes(entry.log.message)) return;
      const level = ROUTINE.test(entry.log.message) ? 'debug' : 'warn';
      log(level, `kafkajs: ${entry.log.message}`, safeDetails(entry));
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
