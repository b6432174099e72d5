import type { DeliveryOutcome, Lane } from '@genesys-kafka/delivery';
import type { Clock } from '@genesys-kafka/resilience';
import type { Forwarder } from '../forward/forwarder.ts';
import type { RecordMover } from '../forward/topic-writer.ts';
import type { ConsumerTopics } from '../forward/topics.ts';
import type { FlowLimits } from '../group/flow.ts';
import type { Work } from '../group/work.ts';
import type { Settle } from '../group/settle.ts';

/** What an exact route is given of its surroundings. */
export interface ExactContext {
  readonly workOf: (settle: Settle, via?: Forwarder) => Work;
  /** Where the batches of an input topic wait for their turn. */
  readonly laneOf: (topic: string) => Lane;
  /** What moves the route's records by this writer, or by that of all routes. */
  readonly forwarderBy: (writer?: RecordMover) => Forwarder;
  readonly onAnswer: (outcomes: readonly DeliveryOutcome[], seconds: number) => void;
  readonly onDelivered: (records: number) => void;
  readonly limits: FlowLimits;
  readonly topics: Pick<ConsumerTopics, 'deadLetters'>;
  readonly topicIds: ReadonlyMap<string, string | undefined>;
  readonly draining: boolean;
  readonly acceptChanges: boolean;
  readonly clock: Clock;
}
