export {
  groupIdOf,
  groupPrefixOf,
  type Owner,
  owns,
  ownsOrphan,
  picks,
  picksUnrouted,
  planRoutes,
  reshaped,
  type RoutePlan,
  type RouteStart,
  type RoutingSettings,
  rulesFingerprint,
} from './route-plan.ts';
export { compileCondition, compileRule, type Rule, type RuleVerdict } from './rule.ts';
export type { Shaped } from './reshape.ts';
export { UNROUTED } from './settings.ts';
export { compileText, type TextExpression } from './text-expression.ts';
