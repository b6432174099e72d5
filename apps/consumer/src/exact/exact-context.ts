import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import type { Clock } from '@genesys-kafka/resilience';
import type { FlowLimits } from '../group/flow.ts';
import type { Work } from '../group/work.ts';
import type { Settle } from '../route/route-work.ts';

/** What an exact route is given of its surroundings. */
export interface ExactContext {
  readonly workOf: (settle: Settle) => Work;
  readonly onAnswer: (outcomes: readonly DeliveryOutcome[], seconds: number) => void;
  readonly onDelivered: (records: number) => void;
  readonly limits: FlowLimits;
  readonly topicIds: ReadonlyMap<string, string | undefined>;
  readonly draining: boolean;
  readonly acceptChanges: boolean;
  readonly clock: Clock;
}
