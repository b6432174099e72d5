import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const CONSUMER_ERRORS = {
  'export-two-documents': {
    meaning: '`dead-letters export --json` would print two documents in one.',
    remedy: 'Write the dead letters to a file with --to, or leave --json out.',
    scope: 'usage',
  },
  'batch-changed': {
    meaning:
      'A batch of a sink of type s3 was under way when the consumer ended, and would become other objects by now: its bucket, prefix or endpoint, or the rule of its route, was changed.',
    remedy:
      'Start once as it was before, until the batch is written. Or start once with --accept-rules, where records of that batch may be in objects of the old place and of the new one.',
  },
  'drain-held-up': {
    meaning:
      'Records wait for something that is away (the schema registry, the storage or topic of dead letters, a retry topic, a group), and `run --drain` does not wait without end.',
    remedy: 'See to what is told, then run this again: it goes on where it stopped.',
  },
  'filter-span-empty': {
    meaning: 'No moment lies between --since and --until.',
    remedy: 'Give a --since that is before --until. Of two spans of time, such as 24h, the longer one is earlier.',
    scope: 'usage',
  },
  'partition-taken-over': {
    meaning: 'Another consumer has claimed an input partition of a sink of type kafka, and goes on with it.',
    remedy: 'The group hands its partitions out anew; nothing is lost or written twice.',
    retry: true,
  },
  'positions-lost': {
    meaning: 'What a sink of type kafka had kept at its target of what is written there is gone, or older than it was.',
    remedy:
      'Find out what became of the topic of positions. To go on at the group’s own place, where up to a second of records may be written again, start once with --accept-rules.',
  },
  'control-unreadable': {
    meaning: 'The topic `route-controls` holds what this version cannot read: whether a route is paused is not known.',
    remedy: 'Run the version that wrote it, or write a tombstone for that key if another program did.',
  },
  'records-gone': {
    meaning: 'Retention deleted records before a group read them, or their topic was created anew.',
    remedy:
      'Publish the missing windows again, then start once with --accept-gap to go on with what is there. What the topic of replays has lost: `dead-letters replay --again-before`.',
  },
  'route-paused': {
    meaning: 'A paused route keeps `run --drain` from coming to its end.',
    remedy: 'Resume it (`consumer resume ROUTE`), or run without --drain.',
  },
  'route-start-ahead': {
    meaning:
      'A new route is to begin at a moment that has not come: which record is the first of then, nobody knows yet.',
    remedy: 'Set its `from` to latest, or to an earlier moment.',
    scope: 'usage',
  },
  'route-unknown': {
    meaning: 'No route of the configuration has the name that was given.',
    remedy: 'Use one of the names that are told.',
    scope: 'usage',
  },
  'rules-changed': {
    meaning:
      'Rules or routes were changed while groups stand at different records: what lies between might be passed over by all of them.',
    remedy:
      'Run `consumer run --drain` with the earlier routes first. Or start once with --accept-rules, where records in between may go undelivered.',
  },
  'sink-away': {
    meaning: 'A sink takes nothing for now, its records wait, and `run --drain` does not wait without end.',
    remedy: 'See to the target, then run this again: it goes on where it stopped.',
  },
  'sink-refuses-us': {
    meaning: 'A sink takes no record as it is set up, and `run --drain` cannot come to its end.',
    remedy: 'Correct its url, login, certificate or path under `sinks`, then run this again.',
  },
  'target-changed': {
    meaning: 'The target topic of a sink of type kafka has another number of partitions than it had.',
    remedy:
      'Use a topic that has the earlier number. Or start once with --accept-rules: from then on keys go to other partitions, and their order does not reach across.',
  },
  'test-file-unusable': {
    meaning: 'The file given to `consumer test` cannot be read as conversations.',
    remedy: 'Give a JSON array of records, an object with `conversations`, or one record a line.',
    scope: 'usage',
  },
  'transaction-open': {
    meaning: 'A transaction has been open for long, and what is behind it cannot be read.',
    remedy: 'Run this again when its producer has ended it; one that hangs is aborted with kafka-transactions.sh.',
  },
} as const satisfies ErrorTable;

export class ConsumerError extends errorsOf(CONSUMER_ERRORS) {}
