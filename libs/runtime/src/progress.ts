import { Writable } from 'node:stream';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { MultiBar } from 'cli-progress';
import { formatAmount, type Unit } from './amounts.ts';
import { redactText } from './redaction.ts';

export interface ProgressOptions {
  /** stderr, outside of tests. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Bars, or a line now and then; by default what the stream says of itself. */
  readonly isTTY?: boolean;
  /** Between two lines of a task. */
  readonly everyMs?: number;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
}

export interface ProgressTask {
  advance(amount: number): void;
  /** When the total becomes known, or known better. */
  total(amount: number): void;
  /** Takes back what was counted by an attempt that starts anew. */
  reset(amount: number): void;
  /** The last figure is shown and stays. */
  done(): void;
}

export interface Progress extends Disposable {
  task(name: string, options: { readonly total?: number; readonly unit: Unit }): ProgressTask;
  /** For the logger: what is written here appears above the bars instead of through them. */
  readonly log: NodeJS.WritableStream;
}

interface View {
  show(task: TaskState): void;
  done(task: TaskState): void;
  log(text: string): void;
  close(): void;
}

interface TaskState {
  readonly name: string;
  readonly unit: Unit;
  readonly startMs: number;
  value: number;
  total: number | undefined;
}

/**
 * Progress for people: bars on a terminal, a line every few seconds (5 by default) elsewhere. Dispose of it before
 * anything else is written to the terminal; tasks that are not done by then show their last figure. Costs next to nothing between two drawings, so it may be told of every record.
 */
export function createProgress(options: ProgressOptions = {}): Progress {
  const stream = options.stream ?? process.stderr;
  const clock = options.clock ?? systemClock;
  const everyMs = options.everyMs ?? 5000;
  const bars = options.isTTY ?? stream.isTTY ?? false;
  const view = bars ? barView(stream, clock) : lineView(stream, clock, everyMs);
  const tasks: ProgressTask[] = [];
  return {
    task(name, { total, unit }) {
      const state = { name: redactText(name), unit, total, value: 0, startMs: clock.monotonicMs() };
      const task = startTask(view, state);
      tasks.push(task);
      return task;
    },
    log: new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, callback) {
        view.log(String(chunk));
        callback();
      },
    }),
    [Symbol.dispose]() {
      for (const task of tasks) task.done();
      view.close();
    },
  };
}

function startTask(view: View, state: TaskState): ProgressTask {
  let open = true;
  const change = (apply: () => void) => {
    apply();
    if (open) view.show(state);
  };
  view.show(state);
  return {
    advance: (amount) => change(() => (state.value += amount)),
    total: (amount) => change(() => (state.total = amount)),
    reset: (amount) => change(() => (state.value = amount)),
    done() {
      if (open) view.done(state);
      open = false;
    },
  };
}

/** One line for a task at most every `everyMs`, and one when it is done. */
function lineView(stream: NodeJS.WritableStream, clock: Pick<Clock, 'monotonicMs'>, everyMs: number): View {
  const shownMs = new WeakMap<TaskState, number>();
  const write = (task: TaskState, suffix: string) => {
    stream.write(`${task.name}: ${describe(task, (clock.monotonicMs() - task.startMs) / 1000)}${suffix}\n`);
  };
  return {
    show(task) {
      const nowMs = clock.monotonicMs();
      if (nowMs - (shownMs.get(task) ?? task.startMs) < everyMs) return;
      shownMs.set(task, nowMs);
      write(task, '');
    },
    done: (task) => write(task, ', done'),
    log: (text) => stream.write(text),
    close: () => undefined,
  };
}

function barView(stream: NodeJS.WritableStream, clock: Pick<Clock, 'monotonicMs'>): View {
  const bars = new Map<TaskState, ReturnType<MultiBar['create']>>();
  const multi = new MultiBar({
    stream,
    // Signals are the lifecycle's business.
    gracefulExit: false,
    emptyOnZero: true,
    fps: 8,
    format: (_settings, { progress }, payload: { state: TaskState }) => drawBar(payload.state, progress, clock),
  });
  let active = false;
  return {
    show(task) {
      active = true;
      const bar = bars.get(task);
      if (!bar) bars.set(task, multi.create(task.total ?? 0, task.value, { state: task }));
      else {
        bar.setTotal(task.total ?? 0);
        bar.update(task.value);
      }
    },
    done(task) {
      // Without a known total the bar would never look full.
      task.total ??= task.value;
      bars.get(task)?.setTotal(task.total);
      bars.get(task)?.update(task.value);
    },
    log(text) {
      if (active) multi.log(text.endsWith('\n') ? text : `${text}\n`);
      else stream.write(text);
    },
    close() {
      if (!active) return;
      active = false;
      // The last drawing takes along what was logged since the one before.
      multi.update();
      multi.stop();
    },
  };
}

const WIDTH = 24;

function drawBar(task: TaskState, progress: number, clock: Pick<Clock, 'monotonicMs'>): string {
  const filled = task.total === undefined ? 0 : Math.round(Math.min(1, Math.max(0, progress)) * WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
  return `${task.name.padEnd(12)} ${bar} ${describe(task, (clock.monotonicMs() - task.startMs) / 1000)}`;
}

function describe({ value, total, unit }: TaskState, seconds: number): string {
  const of = total === undefined ? '' : ` of ${formatAmount(total, unit)}`;
  const share = total === undefined || total === 0 ? '' : ` (${Math.floor((100 * value) / total)} %)`;
  const rate = seconds > 0 ? `, ${formatAmount(value / seconds, unit)}/s` : '';
  return `${formatAmount(value, unit)}${of}${share}${rate}`;
}
