/** One place where we lean on what kafkajs does, or is inside, beyond what it documents. */
export interface Tap {
  /** What of kafkajs is leant on. */
  readonly what: string;
  /** Our files that do so, below `libs/kafka/src/kafkajs`. */
  readonly where: readonly string[];
  readonly why: string;
  /** The tests that fail when kafkajs is otherwise: a file below `libs/kafka/src`, and how a test in it is called. */
  readonly guardedBy: readonly (readonly [file: string, test: string])[];
}

/** The version that all of this was read in and tried with: pinned exactly, wherever kafkajs is named. */
export const KAFKAJS_VERSION = '2.2.4';

const ONE_BROKER = 'conformance.integration.ts';
const GROUPS = 'conformance-groups.integration.ts';
const CLUSTER = 'conformance-cluster.integration.ts';
const SLOW_CLUSTER = '600 records over 6 partitions in 10 transactions: none lost, none twice, in order';
const LOST_ANSWERS = 'an idempotent producer whose answers were lost does not lose the next send, nor doubles it';
const LOST_COMMIT =
  'a transaction whose answers were lost ends its producer, and the next instance goes on from the log';
const KILLED_BROKER = 'a broker that is killed moves its leaders: sends, reads and groups go on, each record once';
const ROUND_TRIP = 'a committed transaction is read with keys, headers, timestamps and the end of the log';
const SECOND_MEMBER = 'a second member takes over half; what is in hand is no longer current; nothing is lost';
const MANY_HEADERS = 'a record with 12,000 headers goes by like any other';
const OUT_OF_RANGE = 'an offset that the log does not hold is told, not reset; a seek goes on from there';
const TOPIC_ID = 'a topic that is deleted and made again has another id';
const LOST_COORDINATOR =
  'a group whose coordinator is killed, and stays away, commits at the next one; what was asked for before does not land';
const PUT_OUT = 'a member that was put out and comes back is told that others may have had its partitions';
const CRASH = 'a handler that fails, and a batch that cannot be read, are surfaced as a crash';

/** All of them. A newer kafkajs is taken only when each has been looked at again and its tests pass. */
export const TAPS: readonly Tap[] = [
  {
    what: 'the symbol `private:Kafka:createCluster` of a client, and the methods of what it makes (see `Cluster`)',
    where: ['internals.ts', 'partition-reader.ts', 'admin.ts', 'group/group-consumer.ts'],
    why: 'There is no assign(): a partition is read, a new topic asked for on every broker, and a wrong address found early, through a cluster of our own.',
    guardedBy: [
      [ONE_BROKER, 'a reader at the end polls on, sees what comes, and stops with its signal'],
      [CLUSTER, KILLED_BROKER],
    ],
  },
  {
    what: '`kafkajs/src/protocol/requests/fetch`, version 11, sent through a broker’s connection pool',
    where: ['internals.ts', 'partition-reader.ts', 'group/group-fetch.ts'],
    why: 'kafkajs’s own decoder drops the batch headers, which say how far a compacted or an empty batch reaches, and takes a time quadratic in a record’s headers.',
    guardedBy: [
      [ONE_BROKER, ROUND_TRIP],
      [ONE_BROKER, 'aborted records are never read, whatever lies around them, and the reader passes over them'],
      [GROUPS, MANY_HEADERS],
    ],
  },
  {
    what: '`fetch` of the brokers that a group’s cluster finds is ours; kafkajs makes its batches of `responses` and hands on the `messages` in them, looking at `offset` and `isControlRecord` alone',
    where: ['internals.ts', 'group/group-fetch.ts', 'group/group-consumer.ts'],
    why: 'Its own would move the position over markers and reset an offset out of range by itself; eachBatch sees ours, markers alone included.',
    guardedBy: [
      [GROUPS, MANY_HEADERS],
      [GROUPS, 'commits reach the end of a transactional topic, markers and aborted records included'],
      [GROUPS, OUT_OF_RANGE],
    ],
  },
  {
    what: '`versions` of a broker, and what a request’s encoder is asked for (`buf`, `buffer`): a Metadata request of version 10, sent through its connection pool with the rest of a flexible header as the first byte of the body',
    where: ['internals.ts', 'admin.ts'],
    why: 'kafkajs speaks Metadata up to version 6, without topic ids: a topic that was deleted and made again looks like the one before.',
    guardedBy: [
      ['wire/topic-id.test.ts', 'the request is what the protocol guide says of Metadata version 10'],
      [GROUPS, TOPIC_ID],
    ],
  },
  {
    what: '`kafkajs/src/protocol/error`: createErrorFromCode, and the `type`, `name`, `code`, `cause`, `errors` and `originalError` of its errors; the text of code 90',
    where: ['internals.ts', 'errors-mapping.ts'],
    why: 'Its failures come out as codes of ours; the reason lies inside what it wraps around.',
    guardedBy: [
      ['kafkajs/errors-mapping.test.ts', 'protocol errors get a code, a verdict and advice by their number'],
      [
        'kafkajs/errors-mapping.test.ts',
        'the reason is found inside what kafkajs wraps around it, and stays as the cause',
      ],
    ],
  },
  {
    what: '`socketFactory` is asked for every connection, and what it throws comes out with its message alone',
    where: ['socket-factory.ts'],
    why: 'A login goes to no other machine without TLS, also to brokers that are learnt from others; TLS is 1.2 or later.',
    guardedBy: [['kafkajs/socket-factory.test.ts', 'a login goes to no other machine without TLS']],
  },
  {
    what: 'a TypeError out of its own files is what it says of metadata without leaders, and fetchTopicOffsets leaves out what has none',
    where: ['errors-mapping.ts', 'admin.ts'],
    why: '"Not now", and no verdict: asked again.',
    guardedBy: [
      [
        'kafkajs/errors-mapping.test.ts',
        'a TypeError from inside kafkajs, as while a partition has no leader, means "not now"',
      ],
      [
        'kafkajs/admin.test.ts',
        'while leaders move an admin asks again on a fresh connection, and leaves out no partition',
      ],
    ],
  },
  {
    what: '`connect`, `connectBroker`, `seedBroker` and `createSeedBroker` of a group’s broker pool, which its attempts to connect go through',
    where: ['internals.ts', 'group/group-consumer.ts'],
    why: 'A group that is stopped while no broker answers would go on connecting for as long as its patience.',
    guardedBy: [['kafkajs/internals.test.ts', 'a group that is stopped makes no more connections']],
  },
  {
    what: '`protocol` of an assigner is asked for anew at each join, so that a member says what it holds by then; `cluster.findTopicPartitionMetadata` is what `assign` shares out',
    where: ['group/sticky-assigner.ts', 'group/group-consumer.ts'],
    why: 'Its own assigner goes round all members by their ids: whoever joins or leaves moves nearly everything.',
    guardedBy: [
      [
        'kafkajs/group/sticky-assigner.integration.ts',
        'members keep what they hold: a third one takes its share, and when it goes nothing of theirs moves',
      ],
    ],
  },
  {
    what: 'REBALANCING is told before the group is joined again: a commit that is asked for in it is sent before that',
    where: ['group/group-consumer.ts'],
    why: 'What is finished is committed with the generation that is ending.',
    guardedBy: [[GROUPS, 'what is finished when a rebalance begins is committed, and not delivered again']],
  },
  {
    what: '`heartbeat` of the brokers that a group’s cluster finds is ours: NOT_COORDINATOR_FOR_GROUP from it has the group joined again, at the coordinator that is found then',
    where: ['internals.ts'],
    why: 'A coordinator that is gone would be asked until it is back, or for some minutes, and nothing committed for so long; after a join that failed the old generation goes on without GROUP_JOIN, and everything of it is refused.',
    guardedBy: [
      [CLUSTER, LOST_COORDINATOR],
      [CLUSTER, 'a group whose joining fails once, as at a coordinator that is loading, joins again and reads on'],
      [
        'kafkajs/internals.test.ts',
        'a group that was told to join again, and whose joining failed, is told so again with its next heartbeat',
      ],
      [
        'kafkajs/internals.test.ts',
        'a coordinator that cannot be reached is none any more; any other failure of a heartbeat is told as it is',
      ],
    ],
  },
  {
    what: '`heartbeatInterval` is handed on as it is given, and looked at anew each time, in `now >= lastRequest + interval` by Date.now()',
    where: ['group/heartbeat-interval.ts', 'group/group-consumer.ts'],
    why: 'A clock that is set back would silence a member for as long: it loses what it holds, and does not know.',
    guardedBy: [
      [GROUPS, 'a member goes on with its heartbeats when the clock is set back by an hour'],
      [
        'kafkajs/group/heartbeat-interval.test.ts',
        'a heartbeat is due by the time that has passed, not by a clock that is set',
      ],
    ],
  },
  {
    what: '`offsetCommit` of the brokers that a group’s cluster finds is ours; a commit is tried again in its own asynchronous context, in later generations too',
    where: ['internals.ts', 'group/group-consumer.ts', 'group/commit-order.ts'],
    why: 'An old place would land after a newer one, or after what the partition’s next owner has committed.',
    guardedBy: [
      [CLUSTER, LOST_COORDINATOR],
      ['kafkajs/internals.test.ts', 'a commit that is not wanted any more is not sent, nor tried again'],
    ],
  },
  {
    what: '`syncGroup` of the brokers that a group’s cluster finds is ours; it is asked with `memberId` and `generationId` before each GROUP_JOIN',
    where: ['internals.ts', 'group/group-consumer.ts', 'group/tenure.ts'],
    why: 'A member that was put out comes back without REBALANCING, and its GROUP_JOIN does not tell the generation: what it did meanwhile would be committed over what others have.',
    guardedBy: [
      [GROUPS, PUT_OUT],
      ['kafkajs/internals.test.ts', 'as what a group asks for its part is told before it asks'],
    ],
  },
  {
    what: '`produce` of the brokers that a producer’s cluster finds is ours: asked with the sequence number of the first message, which counts on by the messages given; `kafkajs/src/protocol/requests/produce`, version 7, for its answer; a request’s encoder is asked for `buf` and `buffer`',
    where: ['send-batches.ts', 'internals.ts'],
    why: 'It encodes a batch six times over, in memory that is zeroed and doubled as it grows. One stand-in is given for each record; encoded by kafkajs they fail.',
    guardedBy: [
      [
        'wire/produce-request.test.ts',
        "the request with one batch of ${transactionalId ?? 'no transaction'} is the bytes that kafkajs makes of it",
      ],
      [
        'kafkajs/send-batches.test.ts',
        'what stands for records is never sent as records: kafkajs fails where it encodes them',
      ],
      [ONE_BROKER, ROUND_TRIP],
      [ONE_BROKER, '${compression} goes through both ways, with records larger than a fetch'],
    ],
  },
  {
    what: 'of what `findGroupCoordinator` finds, a producer asks `initProducerId`, `addPartitionsToTxn` and `endTxn` alone, and looks for it before each; a rejection of `addPartitionsToTxn` is an attempt of the send that failed',
    where: ['send-batches.ts', 'enrolment.ts', 'internals.ts'],
    why: 'Its sends enrol their partitions each by itself and at once, which the coordinator refuses to all but one, and find it anew each time.',
    guardedBy: [
      [
        'kafkajs/enrolment.test.ts',
        'partitions that are asked for at once are one request, and those that come meanwhile are the next one',
      ],
      [CLUSTER, SLOW_CLUSTER],
      [CLUSTER, 'batches that are under way together while connections break come once and in order'],
    ],
  },
  {
    what: '`retriable: false` on an error ends kafkajs’s attempts and keeps the error',
    where: ['group/group-fetch.ts', 'group/group-consumer.ts'],
    why: 'A batch that cannot be unpacked would be fetched for ever.',
    guardedBy: [[GROUPS, CRASH]],
  },
  {
    what: 'a send that reaches several leaders, or overlaps another one for its partition, doubles or loses records',
    where: ['send-batches.ts', 'transactional-producer.ts', 'idempotent-producer.ts'],
    why: 'Hence one topic-partition per send() with the partition given, and an answer that speaks of exactly that.',
    guardedBy: [
      [CLUSTER, SLOW_CLUSTER],
      [ONE_BROKER, 'two sends to one partition at once, and a commit below a send, are bugs and refused'],
    ],
  },
  {
    what: '`findLeaderForPartitions` and `findBroker` of a producer’s cluster: what they say of a leader names the lock that a send holds, and the leader that is found for a partition is the broker it is sent to',
    where: ['send-batches.ts'],
    why: 'Its lock for each broker makes the partitions of one broker wait for each other’s round trips.',
    guardedBy: [
      ['kafkajs/send-batches.test.ts', 'sends to several partitions of one broker are under way at once'],
      [CLUSTER, SLOW_CLUSTER],
    ],
  },
  {
    what: 'the partitioner is asked on every attempt, and a non-retriable error from it ends them',
    where: ['transactional-producer.ts', 'idempotent-producer.ts'],
    why: 'A discarded producer’s attempts cannot be cancelled otherwise, and would connect and send again.',
    guardedBy: [
      [CLUSTER, LOST_ANSWERS],
      [CLUSTER, LOST_COMMIT],
    ],
  },
  {
    what: 'sequence numbers are wrong after a send that was rejected',
    where: ['idempotent-producer.ts', 'transactional-producer.ts'],
    why: 'The next send would be taken for a duplicate and dropped: a producer serves until its first failure.',
    guardedBy: [[CLUSTER, LOST_ANSWERS]],
  },
  {
    what: 'fencing happens in the first transaction(), not in connect(), with retries that cannot be set',
    where: ['transactional-producer.ts'],
    why: 'begin() is the port’s verb that fences, and loops by itself.',
    guardedBy: [
      [ONE_BROKER, 'begin() of a second instance fences the first: what it has open can never be committed'],
      [ONE_BROKER, 'a fenced producer cannot send either, and one that is made but has not begun fences nobody'],
    ],
  },
  {
    what: '`retry.initialRetryTime` is waited when a transaction follows a commit at once; `retry` bounds attempts, not time',
    where: ['transactional-producer.ts', 'idempotent-producer.ts', 'connection.ts', 'errors-mapping.ts'],
    why: 'Short waits, safe only with one topic-partition per send, and a limit in time of our own around each call.',
    guardedBy: [
      [CLUSTER, SLOW_CLUSTER],
      [CLUSTER, LOST_COMMIT],
    ],
  },
  {
    what: 'the committed offsets of a group are kept in the client',
    where: ['connection.ts'],
    why: 'Two members on one client would overwrite each other’s: each has a client of its own.',
    guardedBy: [[GROUPS, SECOND_MEMBER]],
  },
  {
    what: 'GROUP_JOIN, and the `nodeId` of FETCH_START and of the broker that is then asked: a rejoin while another broker’s fetch is under way brings that fetch’s batch at the old position',
    where: ['group/group-consumer.ts', 'group/fetch-generations.ts'],
    why: 'A batch goes with the generation that its fetch was started in, and is taken in no other.',
    guardedBy: [
      [
        'kafkajs/group/fetch-generations.test.ts',
        'what a fetch brings that was started before a join is not taken after it; what is fetched anew is',
      ],
      [GROUPS, SECOND_MEMBER],
      [CLUSTER, KILLED_BROKER],
    ],
  },
  {
    what: 'an offset that is not resolved is fetched again; a fetch’s batches are awaited together; pauses outlive rebalances',
    where: ['group/group-consumer.ts', 'group/assigned-partition.ts', 'group/group-fetch.ts'],
    why: 'eachBatch only queues, or refuses; what a partition holds back is ours.',
    guardedBy: [
      [GROUPS, 'a partition whose handler is slow holds up neither its neighbours nor the membership'],
      [GROUPS, 'pause holds a partition and no other; resume goes on without a gap; seek goes back'],
      [GROUPS, 'what was not committed is delivered again, and nothing is delivered twice in between'],
    ],
  },
  {
    what: 'run() resolves although joining failed, CRASH tells; after it pause() and resume() throw errors named `KafkaJS…`',
    where: ['group/group-consumer.ts'],
    why: 'start() has to fail, and an owner that pauses in that moment has not.',
    guardedBy: [
      [GROUPS, 'a topic that is not there and a broker that is not there fail the start'],
      [GROUPS, CRASH],
    ],
  },
  {
    what: '`KafkaJSConnectionClosedError` with `host` and `port`; an admin does not come back from a lost seed broker',
    where: ['partition-reader.ts', 'admin.ts'],
    why: 'The dead connection is dropped by hand, the admin made anew.',
    guardedBy: [[CLUSTER, KILLED_BROKER]],
  },
  {
    what: 'fetchTopicOffsets asks with read_committed: `high` is the last stable offset',
    where: ['admin.ts'],
    why: 'Lag and retention gaps are reckoned up to what a read_committed reader can reach.',
    guardedBy: [
      [ONE_BROKER, "reading to one's own nonce shows one's own commits behind another id's open transaction"],
    ],
  },
  {
    what: 'the texts and fields of its log entries',
    where: ['log-bridge.ts'],
    why: 'Routine lines are told from warnings by their text, and only safe fields pass.',
    guardedBy: [
      [
        'kafkajs/log-bridge.test.ts',
        'kafkajs’s log reaches ours as warnings, without stacks, payloads and debug lines',
      ],
    ],
  },
];
