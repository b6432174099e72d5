export { ClientIdentity, type ClientIdentityFiles } from './client-identity.ts';
export { clockSkewMs, type TimedAnswer } from './clock-skew.ts';
// `connections` is `@genesys-kafka/http/connections`: it comes with undici, which is slow to load.
export type { Proxy } from './connections.ts';
export { headerOf, type Headers } from './headers.ts';
export { isInsecure, isLoopback } from './loopback.ts';
export { codeOf, type FaultCause, networkFault, type NetworkFault } from './network-fault.ts';
export { retryAfterOf } from './retry-after.ts';
export { certificatesIn, type ClientTls, TLS } from './trust.ts';
