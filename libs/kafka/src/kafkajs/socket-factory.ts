import net from 'node:net';
import tls, { type SecureContextOptions } from 'node:tls';
import { isLoopback, TLS } from '@genesys-kafka/http';
import type { ISocketFactory } from 'kafkajs';
import { KafkaError } from '../errors.ts';
import { writingBodies } from './request-bodies.ts';

const KEEP_ALIVE_MS = 60_000;

interface SocketFactoryOptions {
  readonly refusesPlaintext: boolean;
  /** Certificate and key of this client, asked for with each connection. */
  readonly identity?: () => SecureContextOptions | undefined;
}

/**
 * Connections to brokers, also to those that are learnt from others. With `refusesPlaintext`, for a client that logs in,
 * none without TLS to another machine: its password could be read on the way. kafkajs keeps only the message of what is
 * thrown here; `isInsecureLogin` knows it by that.
 */
export function createSocketFactory({ refusesPlaintext, identity }: SocketFactoryOptions): ISocketFactory {
  // kafkajs types `ssl` as options; it hands on `true` as well.
  return ({ host, port, ssl, onConnect }) => {
    const isPlain = (ssl as unknown) === undefined || (ssl as unknown) === null || (ssl as unknown) === false;
    if (isPlain && refusesPlaintext && !isLoopback(host)) throw insecureLogin(`${host}:${port}`);
    const socket = isPlain
      ? net.connect({ host, port }, onConnect)
      : tls.connect(
          { ...ssl, ...identity?.(), ...TLS, host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}) },
          onConnect,
        );
    // kafkajs lets go of a connection that failed once for each of its callers, and Node would call that a leak.
    socket.setMaxListeners(0);
    return writingBodies(socket.setKeepAlive(true, KEEP_ALIVE_MS));
  };
}

const INSECURE_LOGIN = 'is reached without TLS, and a password sent there could be read on the way';

function insecureLogin(broker: string): KafkaError {
  return new KafkaError('login-insecure', `Broker ${broker} ${INSECURE_LOGIN}.`);
}

export function isInsecureLogin(message: string): boolean {
  return message.includes(INSECURE_LOGIN);
}
