export { Conversations, type ConversationsOptions } from './conversations/conversations.ts';
export {
  FaultScriptError,
  type Fault,
  type FaultRule,
  type FaultRuleInput,
  type Operation,
} from './faults/fault-rules.ts';
export { FaultScript, type RuleReport } from './faults/fault-script.ts';
export { generateArchive, type GeneratedArchive } from './generate-archive.ts';
export { SimulatorOptionsError, type PopulationOptions, type SimulatorOptions } from './options.ts';
export { startSimulator, type Simulator } from './simulator.ts';
export type { SimulatorStats } from './stats.ts';
