export { IntervalError, JobEndedError, JobStillRunningError } from './errors.ts';
export { pollUntilDone, type DoneStatus, type JobStatus, type JobStatusApi, type PollOptions } from './poll.ts';
export { planWindows, windowId, type Window } from './windows.ts';
