import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

export const SINK_ERRORS = {
  'sink-option-invalid': {
    meaning: 'A setting of a sink cannot be used.',
    remedy: 'Correct it under `sinks` in the configuration.',
    scope: 'usage',
  },
  'sink-unreachable': {
    meaning: 'No connection to the target of a sink comes about.',
    remedy: "Check the sink's url, that the target (or the proxy before it) runs and that the network allows it.",
    retry: true,
  },
  'sink-refused': {
    meaning: 'No connection to the target of a sink comes about, since TLS or the proxy refuses it.',
    remedy: "Check the target's certificate, and name its authority in tls.caFile or NODE_EXTRA_CA_CERTS.",
  },
  'sink-login-refused': {
    meaning: 'A sink is not let in with the login that it has.',
    remedy: "Check the sink's `auth` (tokenUrl, clientId, clientSecret, scope, audience).",
  },
  'sink-login-unavailable': {
    meaning: 'The login of a sink does not answer, or not now.',
    remedy: 'Wait for it: records wait too. Where it lasts, check `auth.tokenUrl` and that the network allows it.',
    retry: true,
  },
  'sink-file-unusable': {
    meaning: 'The file of a sink cannot be written, or holds something else than records.',
    remedy: "Check the sink's `path` and its permissions, or name another file.",
  },
  'sink-file-locked': {
    meaning: 'Somebody else is writing the file of a sink.',
    remedy: 'Give each consumer its own file, or end the other one.',
  },
  'sink-storage-refused': {
    meaning: 'The storage of a sink of type s3 is not to be written as it is set up.',
    remedy: 'Correct bucket, prefix, endpoint, region or keys under `sinks`, or the rights that they have.',
  },
  'sink-database-refused': {
    meaning: 'The database of a sink does not let the sink do its work.',
    remedy:
      'Check that database, schema and table are there, and grant the user SELECT, INSERT and UPDATE on the table.',
  },
  'sink-database-unready': {
    meaning: 'The database of a sink can take no records at present: it starts, is full, or only reads.',
    remedy: 'See to the server, or name the one that writes.',
    retry: true,
  },
  'sink-table-mismatch': {
    meaning: 'The table of a sink is of another shape than the sink needs.',
    remedy: "Change the table, or name another one in the sink's `table`.",
  },
} as const satisfies ErrorTable;

export class SinkError extends errorsOf(SINK_ERRORS) {}

/** A setting that cannot be used; `problem` never holds a secret. */
export function sinkOptionInvalid(sink: string, option: string, problem: string): SinkError {
  return new SinkError('sink-option-invalid', `Sink "${sink}": ${option} ${problem}.`, { details: { sink, option } });
}
