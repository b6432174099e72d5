import kafkajs, { type PartitionAssigner } from 'kafkajs';
import type { TopicPartition } from '../../port.ts';
import { partitionName } from '../../partition-name.ts';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const NAME = 'sticky';
const VERSION = 0;

export interface ShareHolder {
  readonly memberId: string;
  /** Names of the partitions that it holds, by its own account. */
  readonly held: readonly string[];
}

/**
 * An assigner of kafkajs's that leaves a member what it holds, as far as all members have as many as the others: what a
 * rebalance moves is what it has to. Each member says with its join what it holds (`held`); the leader shares out.
 */
export function stickyAssigner(held: () => readonly TopicPartition[]): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => {
      const userData = Buffer.from(JSON.stringify(held().map(partitionName)));
      return { name: NAME, metadata: MemberMetadata.encode({ version: VERSION, topics, userData }) };
    },
    assign: async ({ members, topics }) => {
      const partitions = topics.flatMap((topic) =>
        cluster.findTopicPartitionMetadata(topic).map(({ partitionId: partition }) => ({ topic, partition })),
      );
      const byName = new Map(partitions.map((target) => [partitionName(target), target]));
      const holders = members.map(({ memberId, memberMetadata }) => ({ memberId, held: heldBy(memberMetadata) }));
      return [...shareOut([...byName.keys()], holders)].map(([memberId, names]) => {
        const assignment: Record<string, number[]> = {};
        for (const name of names) {
          const { topic, partition } = byName.get(name)!;
          (assignment[topic] ??= []).push(partition);
        }
        const userData = Buffer.alloc(0);
        return { memberId, memberAssignment: MemberAssignment.encode({ version: VERSION, assignment, userData }) };
      });
    },
  });
}

function heldBy(metadata: Buffer): readonly string[] {
  try {
    const held: unknown = JSON.parse(String(MemberMetadata.decode(metadata)?.userData));
    return Array.isArray(held) ? held.filter((name) => typeof name === 'string') : [];
  } catch {
    // What it holds is then shared out like the rest.
    return [];
  }
}

/**
 * Who gets which partitions: each exactly once, shares as even as can be, and everybody as much as may be of what they
 * hold. @internal
 */
export function shareOut(
  partitions: readonly string[],
  members: readonly ShareHolder[],
): ReadonlyMap<string, readonly string[]> {
  const free = new Set(partitions);
  const least = Math.floor(partitions.length / members.length);
  let larger = partitions.length % members.length;
  const shares = new Map<string, string[]>();
  const own = members.map(({ memberId, held }) => ({ memberId, held: held.filter((name) => free.has(name)) }));
  // Those with the most first: the larger shares are theirs already. Of equals the ids decide, for every leader alike.
  own.sort((a, b) => b.held.length - a.held.length || (a.memberId < b.memberId ? -1 : 1));
  for (const { memberId, held } of own) {
    const kept = held.filter((name) => free.has(name)).slice(0, larger > 0 ? least + 1 : least);
    if (kept.length > least) larger -= 1;
    for (const name of kept) free.delete(name);
    shares.set(memberId, kept);
  }
  const left = [...free];
  for (const share of shares.values()) {
    if (share.length > least) continue;
    share.push(...left.splice(0, least - share.length));
    if (larger > 0) share.push(...left.splice(0, 1));
    if (share.length > least) larger -= 1;
  }
  return shares;
}
