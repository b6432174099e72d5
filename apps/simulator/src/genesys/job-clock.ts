export interface JobTiming {
  /** From submission to the end of the job. */
  readonly durationMs: number;
  /** From its end until the results expire. */
  readonly resultsMs: number;
}

export type Phase = 'waiting' | 'running' | 'done' | 'expired';

/** Where a job stands by time alone: it waits for a fifth of its duration, then runs. */
export function phaseOf(submittedMs: number, nowMs: number, timing: JobTiming): Phase {
  const age = nowMs - submittedMs;
  if (age >= timing.durationMs + timing.resultsMs) return 'expired';
  if (age >= timing.durationMs) return 'done';
  return age * 5 >= timing.durationMs ? 'running' : 'waiting';
}
