export { RuleError } from './errors.ts';
export {
  groupIdOf,
  type Owner,
  owns,
  ownsOrphan,
  picks,
  picksUnrouted,
  planRoutes,
  type RoutePlan,
  type RoutingSettings,
} from './route-plan.ts';
export { compileRule, type Rule, type RuleInput, type RuleVerdict } from './rule.ts';
export { UNROUTED } from './settings.ts';
