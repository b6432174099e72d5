import { setTimeout as delay } from 'node:timers/promises';

const TELL_MS = 30_000;

export interface Timed<D> {
  /** After the start. */
  readonly atMs: number;
  readonly what: D;
}

/** How often what has happened, by kind. */
export type Happened = Readonly<Record<string, number>>;

export interface PlayOptions<D> {
  readonly plan: readonly Timed<D>[];
  /** Resolves with whether there was somebody that it could happen to; undefined is not counted. */
  readonly happen: (what: D) => Promise<boolean | undefined>;
  /** Asked again and again, and once before each `tell`. */
  readonly isOver: (elapsedMs: number) => Promise<boolean>;
  readonly tell: (elapsedMs: number, happened: Happened) => void;
  readonly tickMs: number;
  readonly signal: AbortSignal;
}

/** Has everything happen that is planned, until it is over and nothing is left to happen; counts what did. */
export async function playOut<D extends { readonly kind: string }>(options: PlayOptions<D>): Promise<Happened> {
  const { happen, isOver, tell, tickMs, signal } = options;
  const plan = [...options.plan];
  const happened: Record<string, number> = {};
  const running = new Set<Promise<void>>();
  const startMs = performance.now();
  let toldMs = -Infinity;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    while (plan.length > 0 && plan[0]!.atMs <= elapsedMs) {
      const { what } = plan.shift()!;
      const one = happen(what).then((isDone) => {
        if (isDone === undefined) return;
        const name = isDone ? what.kind : 'passed over';
        happened[name] = (happened[name] ?? 0) + 1;
      });
      running.add(one);
      void one.finally(() => running.delete(one));
    }
    const isAtEnd = await isOver(elapsedMs);
    if (elapsedMs - toldMs >= TELL_MS) {
      toldMs = elapsedMs;
      tell(elapsedMs, happened);
    }
    if (isAtEnd && plan.length === 0) break;
    await delay(tickMs, undefined, { signal });
  }
  await Promise.all(running);
  return happened;
}
