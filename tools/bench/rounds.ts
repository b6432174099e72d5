import type { KafkaClient } from '@genesys-kafka/kafka';
import { cpuTime, uniquePrefix, type Stack } from '@genesys-kafka/testing';
import type { BenchCase } from './cases.ts';
import { differences, type Contents } from './contents.ts';
import { deleteTopics, makeTopic, readBack } from './topics.ts';

/** A run ended well, and its topic does not hold what it should. */
export class WrongContentsError extends Error {}

/** Figures of one run whose records were all found on the topic. CPU times are undefined where nobody tells them. */
export interface Run {
  readonly seconds: number;
  readonly clientCpuSeconds: number | undefined;
  readonly brokerCpuSeconds: number | undefined;
  /** Of the server that the conversations were fetched from. */
  readonly sourceCpuSeconds: number | undefined;
  readonly peakBytes: number | undefined;
  readonly loopDelayMs: number | undefined;
}

export interface Bench {
  readonly stack: Stack;
  readonly client: KafkaClient;
  readonly signal: AbortSignal;
}

/** Runs a case onto a topic of its own, reads the topic back afterwards, and deletes it. Rejects where a record is amiss. */
export async function runCase({ stack, client, signal }: Bench, one: BenchCase, expected: Contents): Promise<Run> {
  const prefix = uniquePrefix();
  try {
    if (!one.isProduct) await makeTopic(client, prefix);
    const broker = stopwatch(stack.brokerPid(0));
    const source = stopwatch(one.sourcePid);
    const measured = await one.run(prefix, signal);
    const figures = {
      seconds: measured.seconds,
      clientCpuSeconds: measured.cpuSeconds || undefined,
      brokerCpuSeconds: broker(),
      sourceCpuSeconds: source(),
      peakBytes: measured.peakBytes || undefined,
      loopDelayMs: measured.loopDelayMs,
    };
    const wrong = differences(
      await readBack(client, prefix, { framed: one.isProduct, signal }),
      expected,
      one.rewrites,
    );
    if (wrong.length > 0)
      throw new WrongContentsError(`${one.name}: what is on the topic is not what was published. ${wrong.join('; ')}`);
    return figures;
  } finally {
    await deleteTopics(stack.brokers, prefix);
  }
}

/** Tells the CPU time that a process has taken since. */
function stopwatch(pid: number | undefined): () => number | undefined {
  if (pid === undefined) return () => undefined;
  const before = cpuTime(pid).own;
  return () => cpuTime(pid).own - before || undefined;
}

/**
 * Who runs when in a round. Each round begins with another group, so that nobody always runs beside the same neighbour;
 * the cases of a group, which are compared with each other, stay together and take turns in going first.
 * @internal
 */
export function orderOf<T>(groups: readonly (readonly T[])[], round: number): T[] {
  const first = groups.length === 0 ? 0 : (round * Math.ceil(groups.length / 3)) % groups.length;
  const turned = [...groups.slice(first), ...groups.slice(0, first)];
  return turned.flatMap((group) => (round % 2 === 0 ? group : group.toReversed()));
}

/** All rounds; resolves with each case's runs in the order of the rounds. */
export async function runRounds(
  bench: Bench,
  groups: readonly (readonly BenchCase[])[],
  rounds: number,
  expected: Contents,
  onRun: (round: number, one: BenchCase, run: Run) => void,
): Promise<ReadonlyMap<string, readonly Run[]>> {
  const runs = new Map<string, Run[]>(groups.flat().map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const one of orderOf(groups, round)) {
      const run = await runCase(bench, one, expected);
      runs.get(one.name)!.push(run);
      onRun(round, one, run);
    }
  }
  return runs;
}
