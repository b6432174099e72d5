import type { DeliveryFailure } from '@genesys-kafka/delivery';
import { codeOf, networkFault } from '@genesys-kafka/http';

/** What a failed statement or connection means. */
export interface PostgresFailure extends DeliveryFailure {
  readonly verdict:
    | 'retry'
    /** Somebody has to change rights, settings or the table. */
    | 'refused'
    /** About what is in a record. */
    | 'record'
    /** About a record or about the server: a code of somebody's own, or one that tells no more than that it failed. */
    | 'unclear';
  /** SQLSTATE, or the code of the network's fault. */
  readonly code: string;
}

type Verdict = PostgresFailure['verdict'];

/**
 * By SQLSTATE, or its first two characters (https://www.postgresql.org/docs/current/errcodes-appendix.html); the longer
 * one wins. The server's own messages quote what is in the records, and are never repeated.
 */
const STATES: Readonly<Record<string, readonly [verdict: Verdict, reason: string]>> = {
  '08': ['retry', 'the connection failed'],
  // Poolers give it to whatever they cannot do just now.
  '08P01': ['retry', 'a pooler has no server for us now, or what answers does not speak as Postgres does'],
  '0A': ['refused', 'the table cannot do this'],
  '21': ['record', 'a rule of the table does not take the record'],
  '22': ['record', 'a value of the record does not fit into its column'],
  '22003': ['record', 'a number of the record is out of range'],
  '22021': ['record', 'the record is not valid UTF-8'],
  '22P02': ['record', 'jsonb, or a generated column, does not take a value of the record'],
  '22P05': ['record', 'the record holds \\u0000, which jsonb cannot store'],
  '23': ['record', 'a constraint of the table does not take the record'],
  '25006': ['retry', 'the server only reads: a standby, or set so'],
  '28': ['refused', 'the server does not accept our login'],
  '38': ['record', 'a function of the table failed for the record'],
  '39': ['record', 'a function of the table failed for the record'],
  '3D': ['refused', 'there is no such database'],
  '3F': ['refused', 'there is no such schema'],
  '40': ['retry', 'another transaction was in the way'],
  '42': ['refused', 'the table is not as the sink needs it'],
  '428C9': ['refused', 'a column that the sink fills is a generated one'],
  '42P10': ['refused', 'the column id is no primary key and has no unique index of its own'],
  '42501': ['refused', 'our user has not the right to do this, or a policy for its rows refuses it'],
  '42P01': ['refused', 'the table is gone'],
  '44': ['record', 'a view does not take the record'],
  '53': ['retry', 'the server is short of something'],
  '53100': ['retry', "the server's disk is full"],
  '53300': ['retry', 'the server has too many connections'],
  '54': ['record', 'the record is beyond a limit of Postgres'],
  '55': ['retry', 'the table is in use otherwise'],
  '55000': ['refused', 'the table cannot be written as it is: its key may be DEFERRABLE, or it is a view'],
  '57': ['retry', 'the server ended the statement or the session'],
  '57014': ['retry', 'the statement was cancelled'],
  '57P01': ['retry', 'the server is shutting down'],
  '57P03': ['retry', 'the server is starting or shutting down'],
  '57P04': ['refused', 'the database was dropped'],
  '58': ['retry', "the server's system failed it"],
  P0: ['record', 'a function of the table refused the record'],
  XX: ['unclear', 'the server failed'],
};

/** A trigger or a function may raise any code, for the record that it looks at. */
const OTHER_STATE = ['unclear', 'the server, or a function of the table, refused'] as const;

/**
 * After these a connection is not used again. It is broken or ends; or it leads to a server that only reads, and goes on
 * doing so when another one writes by now, which a new connection may lead to.
 */
const SPENT = /^(08|25|28|53|57P|58|XX)/;

/** Of `pg` itself, which gives them no code. */
const MESSAGES: readonly (readonly [RegExp, Verdict, cause: string, reason: string])[] = [
  [/^Connection terminated/, 'retry', 'connection-reset', 'the server closed the connection'],
  [
    /^(The server does not support|There was an error establishing an) SSL/,
    'refused',
    'tls-refused',
    'the server does not offer TLS',
  ],
  [/^SASL:/, 'refused', 'login-refused', 'the login failed, for the password or its method'],
];

/** What an error of `pg`, of the server or of the way to it, means. */
export function failureOf(error: unknown): PostgresFailure {
  const state = sqlState(error);
  if (state !== undefined) {
    const [verdict, reason] = STATES[state] ?? STATES[state.slice(0, 2)] ?? OTHER_STATE;
    return { verdict, code: state, cause: `postgres-${state}`, reason: `${reason} (${state})` };
  }
  const fault = networkFault(error);
  if (fault) {
    const verdict = fault.retry ? 'retry' : 'refused';
    const what = fault.cause === 'timeout' ? 'no answer of the server in time' : 'no connection to the server';
    return { verdict, code: fault.code, cause: fault.cause, reason: `${what} (${fault.code})` };
  }
  const message = error instanceof Error ? error.message : '';
  const known = MESSAGES.find(([text]) => text.test(message));
  if (known) return { verdict: known[1], code: known[2], cause: known[2], reason: known[3] };
  const code = codeOf(error);
  return {
    verdict: 'retry',
    code,
    cause: 'transport-error',
    reason: `the statement failed without an answer (${code})`,
  };
}

/** The same where no record was sent yet: what would be about one is about the table, or how it is to be made. */
export function failureWithoutRecord(error: unknown): PostgresFailure {
  const failure = failureOf(error);
  if (failure.verdict === 'unclear') return { ...failure, verdict: 'retry' };
  if (failure.verdict !== 'record') return failure;
  return { ...failure, verdict: 'refused', reason: `the table cannot be as it is to be (${failure.code})` };
}

/** Those that a second try in a moment, on another connection where this one broke, is likely to mend. */
export function isFleeting({ code, cause }: PostgresFailure): boolean {
  return code.startsWith('40') || cause === 'connection-reset';
}

/**
 * Whether the connection is as good as before: the server has refused a statement, and nothing else. By the code, since
 * the word for how severe it is comes in the server's language.
 */
export function leavesConnection(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !SPENT.test(state);
}

/** `code` of an answer of the server: an error of the system has one too, but no severity. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
