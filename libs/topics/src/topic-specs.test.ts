import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTopic, topicRisks, topicSpecs, type TopicSpec } from './index.ts';

const all = topicSpecs({ prefix: 'genesys.' });

const asCreated = (spec: TopicSpec, changes: Readonly<Record<string, string>> = {}, partitions = spec.partitions) => ({
  name: spec.name,
  partitions,
  config: { 'retention.ms': '604800000', 'max.message.bytes': '1048588', ...spec.config, ...changes },
});

test('names, partitions and settings are those of the design', () => {
  assert.deepEqual(
    [
      ...[all.data, ...all.retries, all.replays, all.deadLetters],
      ...[all.ledger, all.digests, all.positions, all.controls],
    ].map(({ name, partitions }) => [name, partitions]),
    [
      ['genesys.conversation-details', 6],
      ['genesys.conversation-details.retry-1', 6],
      ['genesys.conversation-details.retry-2', 6],
      ['genesys.conversation-details.retry-3', 6],
      ['genesys.conversation-details.replay', 6],
      ['genesys.conversation-details.dlt', 6],
      ['genesys.export-ledger', 12],
      ['genesys.record-digests', 12],
      ['genesys.sink-positions', 12],
      ['genesys.route-controls', 1],
    ],
  );
  assert.deepEqual(all.data.config, {
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'max.message.bytes': '4194304',
    'message.timestamp.type': 'LogAppendTime',
  });
  assert.equal(all.retries[0]!.config['retention.ms'], '604800000');
  assert.deepEqual(all.deadLetters.config, {
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'max.message.bytes': '16777216',
    'message.timestamp.type': 'LogAppendTime',
    'retention.ms': '2592000000',
  });
  assert.deepEqual(all.ledger.config, {
    'cleanup.policy': 'compact',
    'compression.type': 'producer',
    'segment.bytes': '16777216',
    'segment.ms': '3600000',
    'min.cleanable.dirty.ratio': '0.1',
    'max.compaction.lag.ms': '86400000',
    'message.timestamp.type': 'LogAppendTime',
  });
  for (const one of [all.digests, all.positions, all.controls]) assert.deepEqual(one.config, all.ledger.config);
  const small = topicSpecs({ prefix: '', dataPartitions: 1, retryTiers: 0 });
  assert.deepEqual([small.data.partitions, small.retries, small.ledger.partitions], [1, [], 12]);
});

test('a topic that was created from its own settings has no problems, nor has a more generous one', () => {
  for (const spec of [all.data, ...all.retries, all.deadLetters, all.ledger, all.digests, all.positions]) {
    assert.deepEqual(checkTopic(spec, asCreated(spec)), []);
  }
  assert.deepEqual(checkTopic(all.data, asCreated(all.data, { 'max.message.bytes': '8388608' }, 24)), []);
  assert.deepEqual(checkTopic(all.deadLetters, asCreated(all.deadLetters, { 'retention.ms': '-1' })), []);
});

test('each setting that would lose or refuse records is one sentence with the topic, the value and the cure', () => {
  const cases: readonly (readonly [TopicSpec, Readonly<Record<string, string>>, number, RegExp])[] = [
    [all.ledger, {}, 6, /^genesys\.export-ledger: has 6 partitions, needed are exactly 12/],
    [all.ledger, { 'cleanup.policy': 'compact,delete' }, 12, /cleanup\.policy is compact,delete, needed is compact/],
    [all.data, { 'cleanup.policy': 'compact' }, 6, /cleanup\.policy is compact, needed is delete/],
    [all.data, { 'max.message.bytes': '1048588' }, 6, /max\.message\.bytes is 1048588, needed is at least 4194304/],
    [all.retries[0]!, { 'retention.ms': '3600000' }, 6, /retention\.ms is 3600000, needed is at least 604800000/],
    [all.data, { 'compression.type': 'lz4' }, 6, /compression\.type is lz4, which this client cannot read/],
  ];
  for (const [spec, changes, partitions, expected] of cases) {
    const problems = checkTopic(spec, asCreated(spec, changes, partitions));
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0]!, expected);
  }
});

test('a topic that can take no write is refused; one that may lose what it has taken is told', () => {
  const topic = (replicas: number, config: Readonly<Record<string, string>>) => ({
    ...asCreated(all.ledger, config),
    replicas,
  });
  const [problem, ...others] = checkTopic(all.ledger, topic(1, { 'min.insync.replicas': '2' }));
  assert.match(problem!, /^genesys\.export-ledger: min\.insync\.replicas is 2 and it has 1, so no write is ever taken/);
  assert.deepEqual(others, []);
  assert.deepEqual(checkTopic(all.ledger, topic(3, { 'min.insync.replicas': '3' })), []);
  const cases: readonly (readonly [number, Readonly<Record<string, string>>, number, readonly RegExp[]])[] = [
    [1, { 'min.insync.replicas': '1' }, 1, []],
    [1, { 'min.insync.replicas': '1' }, 3, [/export-ledger has one replica/]],
    [3, { 'min.insync.replicas': '1' }, 3, [/has min\.insync\.replicas 1/]],
    [3, { 'min.insync.replicas': '2' }, 3, []],
    [3, { 'min.insync.replicas': '2', 'unclean.leader.election.enable': 'true' }, 3, [/unclean leader elections/]],
  ];
  for (const [replicas, config, brokers, expected] of cases) {
    const risks = topicRisks(topic(replicas, config), brokers);
    assert.equal(risks.length, expected.length, risks.join());
    for (const [index, text] of expected.entries()) assert.match(risks[index]!, text);
  }
});

test('a topic whose broker stores other bytes than it is sent is refused: a record that was measured may not fit', () => {
  for (const compression of ['uncompressed', 'gzip', 'zstd', 'lz4', 'snappy']) {
    for (const spec of [all.data, ...all.retries, all.deadLetters]) {
      const problems = checkTopic(spec, asCreated(spec, { 'compression.type': compression }));
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, new RegExp(`: compression\\.type is ${compression}, .*Set it to producer\\.$`));
    }
  }
  // Its lines are small.
  assert.deepEqual(checkTopic(all.ledger, asCreated(all.ledger, { 'compression.type': 'gzip' })), []);
  assert.equal(checkTopic(all.ledger, asCreated(all.ledger, { 'compression.type': 'snappy' })).length, 1);
});
