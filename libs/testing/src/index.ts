export {
  startProxy,
  type ChaosProxy,
  type ChunkVerdict,
  type Direction,
  type ProxyChunk,
  type ProxyFaults,
  type ProxyOptions,
} from './chaos-proxy.ts';
export { TestingError } from './errors.ts';
export { freePorts } from './free-port.ts';
export type { LinkFaults } from './faulty-pipe.ts';
export { startScript } from './package-script.ts';
export { simulatorEnv, type SimulatorEnv } from './simulator-env.ts';
export type { Provider, Stack, StackOptions } from './provider.ts';
export { ProcessGroup } from './host/process-group.ts';
export { stackImages } from './providers/images.ts';
export { ensureServers, type Servers } from './servers/download.ts';
export { startStack } from './stack.ts';
export { uniquePrefix } from './unique-prefix.ts';
