export {
  groupIdOf,
  groupPrefixOf,
  type Owner,
  owns,
  ownsOrphan,
  picks,
  picksUnrouted,
  planRoutes,
  type RoutePlan,
  type RouteStart,
  type RoutingSettings,
  rulesFingerprint,
} from './route-plan.ts';
export { compileExpression, compileRule, type Rule, type RuleVerdict } from './rule.ts';
export { UNROUTED } from './settings.ts';
export { compileText, type TextExpression } from './text-expression.ts';
