export { calendarOf, type Calendar, dayStates, type IntervalState } from './calendar.ts';
export {
  completeUntilMs,
  dividesDay,
  type FollowPlan,
  halvesOf,
  inTurn,
  nextTryMs,
  planWork,
  utcDay,
} from './follow-plan.ts';
export { pollUntilDone, type DoneStatus, type JobStatus } from './poll.ts';
export { dayOf, planWindows, type Window } from './windows.ts';
