import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { errors } from 'undici';
import { connections } from './connections.ts';
import { networkFault, type FaultCause } from './network-fault.ts';

const coded = (code: string) => Object.assign(new Error('what'), { code });

const TRANSIENT: Readonly<Record<string, FaultCause>> = {
  ENOTFOUND: 'dns-failure',
  ENODATA: 'dns-failure',
  EAI_AGAIN: 'dns-failure',
  EAI_FAIL: 'dns-failure',
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-reset',
  ECONNABORTED: 'connection-reset',
  EPIPE: 'connection-reset',
  UND_ERR_SOCKET: 'connection-reset',
  UND_ERR_INFO: 'connection-reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection-reset',
  ERR_HTTP2_STREAM_ERROR: 'connection-reset',
  ERR_STREAM_PREMATURE_CLOSE: 'connection-reset',
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'connection-reset',
  'ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC': 'connection-reset',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'connection-reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  EHOSTUNREACH: 'host-unreachable',
  EHOSTDOWN: 'host-unreachable',
  ENETUNREACH: 'host-unreachable',
  ENETDOWN: 'host-unreachable',
  EADDRNOTAVAIL: 'host-unreachable',
  EMFILE: 'too-many-open-files',
  ENFILE: 'too-many-open-files',
  HPE_INVALID_CONSTANT: 'not-http',
  UND_ERR_HEADERS_OVERFLOW: 'not-http',
  UND_ERR_PRX_CONN: 'proxy-failed',
};

const LASTING: Readonly<Record<string, FaultCause>> = {
  CERT_HAS_EXPIRED: 'tls-refused',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls-refused',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls-refused',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls-refused',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls-refused',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls-refused',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls-refused',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN': 'tls-refused',
  CRL_HAS_EXPIRED: 'tls-refused',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'tls-refused',
  HOSTNAME_MISMATCH: 'tls-refused',
  PATH_LENGTH_EXCEEDED: 'tls-refused',
  INVALID_CA: 'tls-refused',
  INVALID_PURPOSE: 'tls-refused',
  EPROTO: 'tls-refused',
  UND_ERR_PRX_TLS: 'tls-refused',
};

for (const [table, retry] of [
  [TRANSIENT, true],
  [LASTING, false],
] as const) {
  for (const [code, cause] of Object.entries(table)) {
    test(`${code} is ${cause}, ${retry ? 'worth' : 'not worth'} another attempt`, () => {
      const error = coded(code);
      const kept = cause === 'not-http' ? undefined : error;
      assert.deepEqual(networkFault(error), { cause, code, retry, error: kept });
    });
  }
}

test('a code that only holds a known one is unknown, and no fault of the network', () => {
  for (const code of Object.keys({ ...TRANSIENT, ...LASTING })) {
    assert.equal(networkFault(coded(`X_${code}`)), undefined, `X_${code}`);
    // Of these each one that begins so is meant.
    if (/^(CERT|CRL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERROR_IN_C|ERR_SSL_[\w/]*(MAC|EOF))/.test(code)) continue;
    assert.equal(networkFault(coded(`${code}-X`)), undefined, `${code}-X`);
  }
});

test('a proxy that cannot connect may do so later, one that refuses may not', () => {
  const answered = (status: number) =>
    networkFault(new errors.RequestAbortedError(`Proxy response (${status}) !== 200 when HTTP Tunneling`));
  assert.deepEqual([answered(503)?.cause, answered(503)?.code, answered(503)?.retry], ['proxy-failed', '503', true]);
  assert.deepEqual([answered(407)?.cause, answered(407)?.retry], ['proxy-refused', false]);
});

test('the code is found in causes, and in the first of several addresses tried', () => {
  const wrapped = new TypeError('fetch failed', { cause: new AggregateError([coded('EHOSTUNREACH')]) });
  assert.equal(networkFault(wrapped)?.cause, 'host-unreachable');
});

test('bugs and aborts are no faults of the network', () => {
  const others = [
    new Error('x'),
    new DOMException('x', 'AbortError'),
    coded('ERR_INVALID_ARG_TYPE'),
    coded('UND_ERR_ABORTED'),
    coded('UND_ERR_DESTROYED'),
    coded('UND_ERR_INVALID_ARG'),
    'ECONNRESET',
    undefined,
  ];
  for (const error of others) assert.equal(networkFault(error), undefined, String(error));
});

test('a parser’s error is not kept: it holds what the other side sent', async () => {
  const server = createServer((socket) => socket.end('personal data\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dispatcher = connections({});
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const error: unknown = await dispatcher.request({ origin, path: '/', method: 'GET' }).catch((e: unknown) => e);
  const fault = networkFault(error);
  assert.equal(fault?.cause, 'not-http');
  assert.equal(fault.error, undefined);
  await dispatcher.close();
  server.close();
});
