export { pollUntilDone, type DoneStatus, type JobStatus } from './poll.ts';
export { dayOf, planWindows, type Window } from './windows.ts';
