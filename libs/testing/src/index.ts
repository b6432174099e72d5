export {
  startProxy,
  type ChaosProxy,
  type ChunkVerdict,
  type Direction,
  type ProxyChunk,
  type ProxyFaults,
  type ProxyOptions,
} from './chaos-proxy.ts';
export { StackControlError, StackSettingError, StackUnavailableError, type RungReport } from './errors.ts';
export type { LinkFaults } from './faulty-pipe.ts';
export { startScript } from './package-script.ts';
export { simulatorEnv, type SimulatorEnv } from './simulator-env.ts';
export { startStack, type Rung, type Stack, type StackOptions } from './stack.ts';
export { uniquePrefix } from './unique-prefix.ts';
