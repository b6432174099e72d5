import { KafkaError, type KafkaErrorCode } from '../errors.ts';
import { toKafkaError } from './errors-mapping.ts';
import type { Broker, Cluster } from './internals.ts';

const GROUPS = 0;
const TRANSACTIONS = 1;
/** Brokers give out producer ids from 0 upwards: nobody has this one. */
const NOBODYS_PRODUCER_ID = '9223372036854775807';
const NOBODY = 'genesys-kafka-check';

/**
 * Whether this login may write as a transactional id. Asks to abort the transaction of a producer id that nobody has:
 * the coordinator looks at the right first, and then refuses what it does not know. Nothing is fenced, and nothing kept.
 */
export async function mayTransact(cluster: Cluster, transactionalId: string): Promise<boolean> {
  return isRefusedAs('producer-fenced-or-timed-out', async () => {
    const coordinator = await coordinatorOf(cluster, transactionalId, TRANSACTIONS);
    const ending = { transactionalId, producerId: NOBODYS_PRODUCER_ID, producerEpoch: 0, transactionResult: false };
    await coordinator.endTxn(ending);
  });
}

/** Whether this login may be in a group: tries the heartbeat of a member that nobody is, likewise. */
export async function mayJoin(cluster: Cluster, groupId: string): Promise<boolean> {
  return isRefusedAs('rebalance-in-progress', async () => {
    const coordinator = await coordinatorOf(cluster, groupId, GROUPS);
    await coordinator.heartbeat({ groupId, groupGenerationId: -1, memberId: NOBODY });
  });
}

/** kafkajs's own way there takes a right that is missing for a coordinator that is. */
async function coordinatorOf(cluster: Cluster, groupId: string, coordinatorType: 0 | 1): Promise<Broker> {
  if (cluster.getNodeIds().length === 0) await cluster.refreshMetadata();
  let failure = new Error('no broker is known');
  for (const nodeId of cluster.getNodeIds()) {
    try {
      const broker = await cluster.findBroker({ nodeId });
      const { coordinator } = await broker.findGroupCoordinator({ groupId, coordinatorType });
      return await cluster.findBroker(coordinator);
    } catch (error) {
      failure = error as Error;
    }
  }
  throw failure;
}

/** Refused for what it asks, or for a right that is missing; any other end proves nothing. */
async function isRefusedAs(allowed: KafkaErrorCode, ask: () => Promise<void>): Promise<boolean> {
  try {
    await ask();
  } catch (error) {
    const { code } = toKafkaError(error, { doing: '', brokers: '' });
    if (code === allowed) return true;
    if (code === 'authorization-failed') return false;
    throw error;
  }
  throw new KafkaError('kafka-failed', 'A broker took a request of nobody.');
}
