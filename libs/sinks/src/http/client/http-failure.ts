import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import { codeOf, networkFault, type FaultCause } from '@genesys-kafka/http';
import { isUnaskedContinue } from './node-client.ts';

/** What each fault means here; the texts of the errors themselves may hold addresses or more. */
const REASONS: Readonly<Record<FaultCause, string>> = {
  'connection-refused': 'nothing listens at the target',
  'connection-reset': 'the target closed the connection before answering',
  'dns-failure': 'the host name of the target cannot be resolved',
  'host-unreachable': 'there is no way to the target',
  'not-http': 'what the target answered is no HTTP',
  'proxy-failed': 'the proxy could not connect to the target',
  'proxy-refused': 'the proxy refuses to connect to the target',
  timeout: 'no connection in time',
  'tls-refused': "the target's certificate or TLS is not accepted",
  'too-many-open-files': 'this process has no file descriptor left',
};

const CONTINUE_UNASKED = {
  cause: 'continue-unasked',
  reason: 'the target sent "100 Continue" without being asked, before which the client cuts the connection',
};

/** What a request without an answer means: transient, except where TLS or the proxy refuses the target. */
export function outcomeOfFailure(error: unknown): DeliveryOutcome {
  if (isUnaskedContinue(error)) return { kind: 'retry', failure: CONTINUE_UNASKED };
  const fault = networkFault(error);
  if (!fault) {
    const reason = `the request failed without an answer (${codeOf(error)})`;
    return { kind: 'retry', failure: { cause: 'transport-error', reason } };
  }
  const { cause, code, retry } = fault;
  return { kind: retry ? 'retry' : 'misconfigured', failure: { cause, reason: `${REASONS[cause]} (${code})` } };
}
