import type { BatchLimits } from '@genesys-kafka/delivery';
import { isLoopback } from '@genesys-kafka/http';
import { hideSecret } from '@genesys-kafka/runtime';
import { sinkOptionInvalid } from '../errors.ts';
import { parsePostgresUrl } from './postgres-url.ts';

/** A column that Postgres fills by an expression; both are SQL of whoever writes the configuration. */
export interface GeneratedColumn {
  readonly type: string;
  readonly as: string;
}

export interface PostgresSinkOptions {
  /** Name in the configuration, for messages. */
  readonly name: string;
  readonly url: string;
  readonly password?: string | undefined;
  /** Name, or schema and name with a dot between them, in its own case. */
  readonly table: string;
  /** Default jsonb. */
  readonly recordType?: RecordType;
  readonly columns?: Readonly<Record<string, GeneratedColumn>>;
  readonly tls?: {
    readonly mode?: 'verify-full' | 'disable' | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
  };
  /** Default 4. */
  readonly maxConnections?: number;
  readonly batch: BatchLimits;
  /** Of one statement, its connection included. Default 30 s. */
  readonly timeoutMs?: number;
}

export type RecordType = 'jsonb' | 'json' | 'text' | 'bytea';

/** Whom to connect to and how. */
export interface PostgresTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Undefined where the server asks for none, or a certificate is what we log in with. */
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: { readonly certFile?: string; readonly keyFile?: string } | undefined;
  /** For messages: host, port and database. */
  readonly shown: string;
}

/** Throws `sink-option-invalid`; neither URL nor password is ever repeated. */
export function targetOf({ name, url, password, tls }: PostgresSinkOptions): PostgresTarget {
  const address = parsePostgresUrl(url);
  if (typeof address === 'string') throw sinkOptionInvalid(name, 'url', address);
  if (address.password !== undefined && password !== undefined)
    throw sinkOptionInvalid(name, 'password', 'is given, and the url holds one too; leave one of them out');
  if (address.tls !== undefined && tls?.mode !== undefined && address.tls !== tls.mode)
    throw sinkOptionInvalid(name, 'tls.mode', 'is not what sslmode in the url says; leave one of them out');
  const { host, port, user, database } = address;
  const chosen = password ?? address.password;
  if (chosen !== undefined) hideSecret(chosen);
  const mode = tls?.mode ?? address.tls ?? (isLoopback(host) ? 'disable' : 'verify-full');
  const { certFile, keyFile } = tls ?? {};
  if (mode === 'disable' && certFile !== undefined)
    throw sinkOptionInvalid(name, 'tls.certFile', 'needs TLS, which is off; set tls.mode to verify-full');
  return {
    ...{ host, port, user, database },
    password: chosen,
    tls: mode === 'disable' ? undefined : { ...(certFile && keyFile ? { certFile, keyFile } : {}) },
    shown: `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`,
  };
}
