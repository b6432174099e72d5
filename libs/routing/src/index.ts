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
  UNROUTED,
} from './route-plan.ts';
export { compileRule, type Rule, type RuleInput, type RuleVerdict } from './rule.ts';
