import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type GroupConsumer, type GroupHandler } from '@genesys-kafka/kafka';
import type { OperationalError } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { LaneGroup } from './lane-group.ts';

const AWAY = new KafkaError('broker-unreachable', 'Away.');
const REFUSED = new KafkaError('authorization-failed', 'Refused.');

/** A group whose members join, or fail to, as the test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly stop = new AbortController();
  readonly lanes: (readonly number[])[] = [];
  readonly troubles: string[] = [];
  /** Members that have not left. */
  readonly members = new Set<{ readonly handler: GroupHandler }>();
  failure: OperationalError | undefined;
  readonly group = new LaneGroup({
    member: () => this.#member(),
    onLanes: async (lanes) => void this.lanes.push(lanes),
    onTrouble: ({ code }) => this.troubles.push(code),
    clock: this.clock,
  });

  #member(): GroupConsumer {
    let own: { readonly handler: GroupHandler } | undefined;
    const consumer = {
      start: async (handler: GroupHandler) => {
        if (this.failure) throw this.failure;
        own = { handler };
        this.members.add(own);
        handler.onAssigned?.([1, 2].map((partition) => ({ topic: 'ledger', partition })));
      },
      pause: () => undefined,
      stop: async () => {
        if (own) this.members.delete(own);
      },
    };
    return consumer as unknown as GroupConsumer;
  }

  get only(): GroupHandler {
    const [member, ...others] = [...this.members];
    assert(member && others.length === 0);
    return member.handler;
  }

  async end(running: Promise<void>): Promise<void> {
    this.stop.abort(new Error('stop'));
    await this.clock.advance(0);
    await running;
    assert.equal(this.members.size, 0);
  }
}

test('a group that breaks off, for whatever reason and for however long, is joined again; lanes are let go meanwhile', async () => {
  const bench = new Bench();
  const running = bench.group.run(bench.stop.signal);
  await bench.clock.advance(0);
  for (const failure of [AWAY, REFUSED]) {
    assert.deepEqual([bench.group.isJoined, bench.lanes.at(-1)], [true, [1, 2]]);
    bench.failure = failure;
    const before = bench.troubles.length;
    bench.only.onCrash(failure);
    await bench.clock.advance(3_600_000);
    assert.deepEqual([bench.group.isJoined, bench.lanes.at(-1), bench.members.size], [false, [], 0]);
    const tries = bench.troubles.length - before;
    assert(tries > 100 && tries < 200, `${tries} tries in an hour`);
    bench.failure = undefined;
    await bench.clock.advance(60_000);
  }
  assert.deepEqual([bench.group.isJoined, bench.lanes.at(-1)], [true, [1, 2]]);
  await bench.end(running);
});

test('what is refused at the start ends it, and brokers that are away then are waited for', async () => {
  const refused = new Bench();
  refused.failure = REFUSED;
  await assert.rejects(refused.group.run(refused.stop.signal), REFUSED);
  const away = new Bench();
  away.failure = AWAY;
  const running = away.group.run(away.stop.signal);
  await away.clock.advance(60_000);
  away.failure = undefined;
  await away.clock.advance(60_000);
  assert.equal(away.group.isJoined, true);
  await away.end(running);
});
