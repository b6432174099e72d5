export { pollUntilDone, type DoneStatus, type JobStatus } from './poll.ts';
export { planWindows, type Window } from './windows.ts';
