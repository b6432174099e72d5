import { topicSpecs, type TopicSpec } from '@genesys-kafka/topics';
import { code, page, table } from './markdown.ts';

/** What lies on a topic, by the name under which `topicSpecs` has it. */
const CONTENTS: Readonly<Record<string, { readonly key: string; readonly value: string }>> = {
  data: { key: '`conversationId`', value: "Confluent's wire format: byte 0, schema id, the record's bytes" },
  retries: { key: '`conversationId`', value: "the main topic's value, unchanged" },
  replays: { key: '`conversationId`', value: "the main topic's value, unchanged: dead letters that were replayed" },
  deadLetters: {
    key: '`conversationId`; `source:ordinal` where there is none',
    value:
      "from the consumer the main topic's value, from the producer the bare bytes of the record; none where it is too large",
  },
  ledger: {
    key: "the window's entry, `claim/` and a transactional id, or `topics/` and the data topic",
    value: 'JSON with a version `v`',
  },
  digests: {
    key: '`scope/2026-01-31/conversationId`, the scope being the connector or an export id; or `claim/` and a transactional id',
    value:
      'one byte of version, 16 that name the topics it holds for, 16 of the content digest, and twice 8 for the version of the record: availability date and submission of the job',
  },
  positions: {
    key: '`position/` or `claim/`, and the transactional id of an input partition: group, topic, partition',
    value:
      'JSON with a version `v`: the offset below which all is at the target. At the cluster of a sink of type `kafka`, beside its target',
  },
  controls: {
    key: '`pause/` and a group id, or `start/` and a group id',
    value:
      'JSON with a version `v`: who paused or resumed a route, when and why; where a route with `from` began, by partition',
  },
};

const INTRODUCTION = `With the default prefix \`genesys.\` (\`KAFKA_TOPIC_PREFIX\`), the default of \`kafka.partitions\` and the default of
\`retry.tiers\`. A topic that is missing is created with these settings, replication 3 and \`min.insync.replicas\` 2 where
there are three brokers. One that is there is checked and never altered: larger limits, longer retention and other
partition counts of data topics are yours to choose. They are defined in \`libs/topics/src/topic-specs.ts\`.`;

export function topicsPage(): string {
  const kinds = Object.entries<TopicSpec | readonly TopicSpec[]>({ ...topicSpecs({ prefix: 'genesys.' }) });
  const rows = kinds.flatMap(([kind, specs]) => {
    const contents = CONTENTS[kind];
    if (!contents) throw new Error(`The reference does not say what lies on the topic ${kind}.`);
    return [specs].flat().map(({ name, partitions, config }) => {
      const settings = Object.entries(config).map(([setting, value]) => code(`${setting}=${value}`));
      return [code(name), contents.key, contents.value, String(partitions), settings.join(' ')];
    });
  });
  return page('Topics', INTRODUCTION, table(['topic', 'key', 'value', 'partitions', 'created with'], rows));
}
