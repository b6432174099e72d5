import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import {
  failureOf,
  failureWithoutRecord,
  isFleeting,
  leavesConnection,
  type PostgresFailure,
} from './postgres-failure.ts';

/** As `pg` hands on what the server answers. */
const answered = (code: string) =>
  Object.assign(new pg.DatabaseError('canary of a record', 1, 'error'), { severity: 'ERROR', code });

/**
 * By what is done about it: whole classes by a state that has no line of its own, and each state that has one, with a
 * word of what is told about it. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const VERDICTS: Readonly<Record<PostgresFailure['verdict'], Readonly<Record<string, RegExp>>>> = {
  retry: {
    '08006': /the connection failed/,
    '08P01': /pooler/,
    '25006': /only reads/,
    '40001': /another transaction/,
    '40P01': /another transaction/,
    '53200': /short of something/,
    '53100': /disk is full/,
    '53300': /too many connections/,
    '55P03': /in use otherwise/,
    '55006': /in use otherwise/,
    '57014': /cancelled/,
    '57P01': /is shutting down/,
    '57P02': /ended the statement or the session/,
    '57P03': /starting or shutting down/,
    '58030': /system failed/,
  },
  // Nobody knows them: a record is not given up for that, nor do others wait for it.
  unclear: {
    XX000: /the server failed/,
    '09000': /the server, or a function of the table, refused/,
    '25P02': /the server, or a function of the table, refused/,
    '99999': /the server, or a function of the table, refused/,
    HV000: /the server, or a function of the table, refused/,
  },
  refused: {
    '0A000': /cannot do this/,
    '28000': /login/,
    '28P01': /login/,
    '3D000': /no such database/,
    '3F000': /no such schema/,
    '42703': /not as the sink needs it/,
    '42501': /not the right.* policy/,
    '55000': /DEFERRABLE/,
    '428C9': /generated/,
    '42P01': /gone/,
    '42P10': /no primary key/,
    '57P04': /dropped/,
  },
  record: {
    '21000': /a rule of the table/,
    '22001': /does not fit/,
    '22003': /out of range/,
    '22021': /UTF-8/,
    '22P02': /jsonb, or a generated column/,
    '22P05': /\\u0000/,
    '23502': /constraint/,
    '23514': /constraint/,
    '38001': /function of the table failed/,
    '39004': /function of the table failed/,
    '44000': /view/,
    '54000': /limit of Postgres/,
    '54001': /limit of Postgres/,
    P0001: /function of the table refused/,
  },
};

for (const [verdict, states] of Object.entries(VERDICTS)) {
  test(`an answer that is ${verdict}: its SQLSTATE is told, and nothing that the server says`, () => {
    for (const [state, word] of Object.entries(states)) {
      const failure = failureOf(answered(state));
      assert.deepEqual(
        [failure.verdict, failure.code, failure.cause],
        [verdict, state, `postgres-${state}`],
        JSON.stringify(failure),
      );
      assert.match(failure.reason, word);
      assert.ok(failure.reason.endsWith(` (${state})`));
      assert.doesNotMatch(JSON.stringify(failure), /canary/);
    }
  });
}

test('where no record was sent none is at fault: the table is, and all else means the same', () => {
  for (const [verdict, states] of Object.entries(VERDICTS)) {
    for (const state of Object.keys(states)) {
      const failure = failureWithoutRecord(answered(state));
      if (verdict === 'unclear') assert.deepEqual(failure, { ...failureOf(answered(state)), verdict: 'retry' });
      else if (verdict !== 'record') assert.deepEqual(failure, failureOf(answered(state)));
      else
        assert.deepEqual(failure, {
          ...{ verdict: 'refused', code: state, cause: `postgres-${state}` },
          reason: `the table cannot be as it is to be (${state})`,
        });
    }
  }
});

test('only what another transaction or a broken connection ended is tried again at once', () => {
  const fleeting = Object.values(VERDICTS)
    .flatMap((states) => Object.keys(states))
    .filter((state) => isFleeting(failureOf(answered(state))));
  assert.deepEqual(fleeting.toSorted(), ['40001', '40P01']);
  const coded = (code: string) => Object.assign(new Error('canary'), { code });
  assert.ok(isFleeting(failureOf(coded('ECONNRESET'))));
  assert.ok(isFleeting(failureOf(new Error('Connection terminated unexpectedly'))));
  for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND']) assert.ok(!isFleeting(failureOf(coded(code))), code);
});

test('a connection on which a statement was refused is used again, in whatever language the server says so; others are not', () => {
  const inGerman = (code: string) => Object.assign(answered(code), { severity: 'FEHLER' });
  for (const code of ['22P02', '23505', '40P01', '42P01', '55P03', '57014', 'P0001', '99999'])
    for (const error of [answered(code), inGerman(code)]) assert.ok(leavesConnection(error), code);
  // Broken, ended or full; and one to a server that only reads.
  for (const code of ['08006', '08P01', '25006', '25P03', '28P01', '53300', '57P01', '57P05', '58030', 'XX000'])
    for (const error of [answered(code), inGerman(code)]) assert.ok(!leavesConnection(error), code);
  for (const error of [Object.assign(new Error('canary'), { code: '23505' }), new Error('Connection terminated')])
    assert.ok(!leavesConnection(error));
});

test('what fails on the way is a retry, except for a certificate; a code of the system is no SQLSTATE', () => {
  const coded = (code: string) => failureOf(Object.assign(new Error('canary'), { code }));
  for (const [code, cause, reason] of [
    ['EPIPE', 'connection-reset', 'no connection to the server (EPIPE)'],
    ['ETIMEDOUT', 'timeout', 'no answer of the server in time (ETIMEDOUT)'],
    ['ECONNREFUSED', 'connection-refused', 'no connection to the server (ECONNREFUSED)'],
  ])
    assert.deepEqual(coded(code!), { verdict: 'retry', code, cause, reason });
  const expired = coded('CERT_HAS_EXPIRED');
  assert.deepEqual([expired.verdict, expired.cause], ['refused', 'tls-refused']);
  const nobodyKnows = { verdict: 'retry', cause: 'transport-error' };
  for (const [error, code] of [
    [Object.assign(new Error('canary'), { code: 'EROFS' }), 'EROFS'],
    // A severity, and what cannot be a state.
    [answered('28P01x'), '28P01x'],
    [answered('x28P01'), 'x28P01'],
    [answered('8p01'), '8p01'],
    [Object.assign(answered(''), { code: 28_000 }), 'unknown'],
    [new Error('canary'), 'unknown'],
    ['canary', 'unknown'],
  ] as const)
    assert.deepEqual(failureOf(error), {
      ...nobodyKnows,
      code,
      reason: `the statement failed without an answer (${code})`,
    });
});

test('what pg says itself is told apart by its words', () => {
  for (const [message, verdict, cause, reason] of [
    ['Connection terminated', 'retry', 'connection-reset', /closed/],
    ['Connection terminated due to connection timeout', 'retry', 'connection-reset', /closed/],
    ['The server does not support SSL connections', 'refused', 'tls-refused', /does not offer TLS/],
    ['There was an error establishing an SSL connection', 'refused', 'tls-refused', /does not offer TLS/],
    ['SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature is missing', 'refused', 'login-refused', /login failed/],
    ['SASL: Only mechanism(s) X are supported', 'refused', 'login-refused', /login failed/],
  ] as const) {
    const failure = failureOf(new Error(message));
    assert.deepEqual([failure.verdict, failure.cause], [verdict, cause], message);
    assert.equal(failure.code, cause);
    assert.match(failure.reason, reason);
    assert.equal(failureOf(new Error(`Nobody said: ${message}`)).cause, 'transport-error');
  }
});
