export { clockSkewMs, type TimedAnswer } from './clock-skew.ts';
export { connections, type Proxy } from './connections.ts';
export { headerOf, type Headers } from './headers.ts';
export { isInsecure, isLoopback } from './loopback.ts';
export { codeOf, type FaultCause, networkFault, type NetworkFault } from './network-fault.ts';
export { retryAfterOf } from './retry-after.ts';
export { TLS } from './trust.ts';
