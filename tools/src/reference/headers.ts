import {
  DEAD_LETTER_HEADER,
  MARKER_HEADER,
  RECORD_HEADER,
  REPLAY_HEADER,
  RETRY_HEADER,
  type DeadLetterStage,
} from '@genesys-kafka/topics';
import { code, page, table } from './markdown.ts';

type Meanings<T> = Readonly<Record<keyof T, string>>;

const RECORD: Meanings<typeof RECORD_HEADER> = {
  sourceId: 'The job or the archive that the record was read from.',
  ordinal: 'Position in the source, from 0. Source and ordinal are the identity of the record.',
  window: "The window's interval, or the archive's identity.",
  jobId: 'Genesys job. Absent for archives that were given by hand.',
  jobSubmittedAt: 'When the job was submitted, ISO 8601.',
  dataAvailabilityDate:
    'Until when Genesys said that its data was complete, as it spelt it. Of two versions of a conversation the one with the later (`data-availability-date`, `job-submitted-at`) is newer.',
  contentDigest: "SHA-256 of the record's bytes, in hex.",
  change:
    'Where only what has changed is published: `new` for the first record of its conversation and day, else `changed`. `new` also where it is not known what was published before.',
};

const RETRY: Meanings<typeof RETRY_HEADER> = {
  route: 'Route that delivers the record, percent-encoded.',
  group: 'Consumer group that moved it, percent-encoded. The groups of other routes skip it.',
  attempt: 'The delivery that comes next: 2 for the first retry.',
  notBefore: 'The record waits until then, ISO 8601.',
  cause: 'Why the last delivery failed, such as `http-503`.',
  originTopic: 'Where the record lay in the main topic: topic, percent-encoded …',
  originPartition: '… partition …',
  originOffset: '… and offset.',
  recordVersion: 'Offset in the main topic, which the target gets as `Record-Version`.',
};

const DEAD_LETTER: Meanings<typeof DEAD_LETTER_HEADER> = {
  framing: '`confluent`: the value has its five bytes of frame; `none`: it is the bare bytes of the record.',
  stage: 'Where it was given up, see below.',
  cause: 'Stable code of the reason.',
  reason: 'One sentence, or JSON pointers; never a value out of the record.',
  httpStatus: "The target's last answer, where there was one.",
  timestamp: 'When it was given up, ISO 8601.',
  originTopic: "From the consumer: the record's topic, percent-encoded …",
  originPartition: '… partition …',
  originOffset: '… and offset.',
  originSource: "From the producer: the record's source, percent-encoded …",
  originOrdinal: '… its ordinal …',
  originByteRange: '… and its first byte and the one after its last, in the unpacked source.',
  route: 'From the consumer: the route, percent-encoded.',
  attempts: 'Deliveries tried; 0 where it never came to one.',
  omittedBytes: 'Size of a value that the topic does not take: it is left out here, and lies at the origin.',
};

const REPLAY: Meanings<typeof REPLAY_HEADER> = {
  replayOf: 'Identity of the dead letter that this record was: origin, route, attempts.',
  priorAttempts: 'Deliveries tried before the replay; a later dead letter goes on counting from here.',
  replays: 'How often it was replayed, this time included: a record that comes back each time is left after a few.',
};

const MARKER: Meanings<typeof MARKER_HEADER> = {
  replayed: 'Identity of a dead letter that was replayed.',
  purged: 'Identity of a dead letter that was purged: no command shows it any more.',
  at: 'When, ISO 8601.',
  claim: 'Marks the end up to which a replay reads.',
  action: 'What was done with dead letters, by whom and by which filter, as JSON.',
};

const STAGES: Readonly<Record<DeadLetterStage, string>> = {
  parse: 'producer: the bytes are no JSON object that can be published',
  validate: 'producer: it does not match the schema',
  oversize: 'producer: it is larger than `record.maxBytes` or the topic allow',
  decode: 'consumer: frame, schema id, headers or JSON cannot be read',
  route: 'consumer: a rule failed on it, no route takes it, or its route is no more',
  deliver: 'consumer: its target refuses it, or its retries are spent',
};

const SECTIONS = [
  ['Records', 'On the main topic, and kept through every move.', RECORD_HEADER, RECORD],
  ['Retries', 'On the retry topics, beside the headers of the record.', RETRY_HEADER, RETRY],
  ['Dead letters', 'On the dead-letter topic, beside the headers of the record.', DEAD_LETTER_HEADER, DEAD_LETTER],
  ['Replayed records', 'On the topic of replays, beside the headers of a retry.', REPLAY_HEADER, REPLAY],
  [
    'Marks of what was done with dead letters',
    'On the dead-letter topic, in records without a value. Other readers of that topic skip these.',
    MARKER_HEADER,
    MARKER,
  ],
] as const;

const INTRODUCTION = `Header values are UTF-8 text, bounded, printable, without line breaks. A header of which nothing is known is left out.
They are written and read in \`libs/topics/src/headers\`.`;

export function headersPage(): string {
  const parts = SECTIONS.flatMap(([title, where, names, meanings]) => {
    const rows = Object.entries<string>(names).map(([field, name]) => [
      code(name),
      (meanings as Readonly<Record<string, string>>)[field],
    ]);
    return [`## ${title}`, where, table(['header', 'meaning'], rows)];
  });
  const stages = Object.entries(STAGES).map(([stage, who]) => [code(stage), who]);
  return page('Headers', INTRODUCTION, ...parts, '## Stages of dead letters', table(['stage', 'given up by'], stages));
}
