import { setTimeout as delay } from 'node:timers/promises';
import { playOut, type Happened } from '@genesys-kafka/testing';
import { ConsumerProcess, runConsumer } from '../fixtures/consumer-process.ts';
import { planDisturbances, type Disturbance } from './disturbances.ts';
import type { SoakOptions } from './options.ts';
import type { Scene } from './scene.ts';

const TICK_MS = 250;

/** Has everything happen that the seed says; counts what did, and tells what should not have. */
export async function disturb(
  { seed, events, minutes }: SoakOptions,
  scene: Scene,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly [Happened, string[]]> {
  const failures: string[] = [];
  const spanMs = minutes * 60_000;
  const happened = await playOut({
    plan: planDisturbances(seed, events, spanMs),
    happen: async (what) =>
      happen(what, scene, signal).catch((error: unknown) => {
        failures.push(`${what.kind}: ${String(error)}`);
        return undefined;
      }),
    isOver: async (elapsedMs) => elapsedMs >= spanMs,
    tell: (elapsedMs, so) =>
      say(`${Math.round(elapsedMs / 1000)} s  ${scene.fleet.size} processes, ${JSON.stringify(so)}`),
    tickMs: TICK_MS,
    signal,
  });
  return [happened, failures];
}

/** Resolves with whether there was somebody that it could happen to. */
async function happen(what: Disturbance, scene: Scene, signal: AbortSignal): Promise<boolean> {
  const { fleet, target, links, postgres, bus, config, busy } = scene;
  const later = async () => delay(what.forMs, undefined, { signal });
  const alone = async (name: string, act: () => Promise<void>) => {
    if (busy.has(name)) return false;
    busy.add(name);
    await act().finally(() => busy.delete(name));
    return true;
  };
  switch (what.kind) {
    case 'kill':
    case 'leave': {
      const isDone = await fleet[what.kind](what.whom);
      if (!isDone) return false;
      await later();
      fleet.start();
      return true;
    }
    case 'pause':
      return fleet.pause(what.whom, what.forMs, signal);
    case 'join':
      fleet.start();
      await later();
      return fleet.leave(0);
    case 'mood':
      return alone(what.path, async () => {
        target.moods.set(what.path, what.mood);
        await later();
        target.moods.delete(what.path);
      });
    case 'link': {
      const link = links[what.link];
      return alone(what.link, async () => {
        if (what.fault === 'reset') {
          link.resetAll();
          return;
        }
        if (what.fault === 'silent') link.halfOpen();
        else link.refuse(true);
        await later();
        link.refuse(false);
        link.set({ toTarget: { drop: false }, toClient: { drop: false } });
        // What was swallowed is gone for good.
        link.resetAll();
      });
    }
    case 'postgres':
      return alone('server', async () => {
        await postgres.kill();
        await later();
        await postgres.start();
      });
    case 'broker':
      // One of three at a time: the topics want two.
      return alone('broker', async () => {
        await bus.stack.killBroker(what.index);
        await later();
        await bus.stack.startBroker(what.index);
      });
    case 'replay': {
      // Once: what is refused for good may be replayed three times.
      if (busy.has('replay')) return false;
      busy.add('replay');
      await using replay = await ConsumerProcess.start(config(0), 'dead-letters', 'replay', '--rate', '2/s');
      await Promise.race([later(), replay.ended]);
      replay.signal('SIGKILL');
      return true;
    }
    case 'route':
      return alone('route', async () => {
        await runConsumer(config(0), ['pause', what.route]);
        await later();
        await runConsumer(config(0), ['resume', what.route]);
      });
  }
}
