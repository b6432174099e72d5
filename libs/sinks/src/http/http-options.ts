import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isInsecure, type Proxy } from '@genesys-kafka/http';
import { sinkOptionInvalid } from '../errors.ts';

export interface HttpSinkOptions {
  /** Name in the configuration, for messages. */
  readonly name: string;
  readonly url: string;
  /** Sent with every record, for example `authorization`. Values are secrets: they appear in no error and no log. */
  readonly headers?: Readonly<Record<string, string>>;
  /** From the connection to the end of the answer. Default 30 s. */
  readonly timeoutMs?: number;
  /** Connections kept to the target; the sink's concurrency. Default 16. */
  readonly maxConnections?: number;
  /** Allows `http:` to other hosts than this one. */
  readonly allowInsecureHttp?: boolean;
  readonly proxy?: Proxy;
}

export interface HttpTarget {
  readonly origin: string;
  readonly path: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Headers that this sink sets itself or that would break the message's framing. */
const RESERVED = new Set(
  'host content-length content-type transfer-encoding connection keep-alive upgrade expect te trailer idempotency-key record-version'.split(
    ' ',
  ),
);

/** Where to send, or a `sink-option-invalid`. Neither path nor query nor user information of the URL is ever repeated. */
export function parseTarget({ name, url, allowInsecureHttp }: HttpSinkOptions): HttpTarget {
  const fail = (problem: string) => sinkOptionInvalid(name, 'url', problem);
  const parsed = URL.parse(url);
  if (!parsed) throw fail('is not a URL such as https://host.example/path');
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') throw fail('must begin with https:// or http://');
  if (parsed.username || parsed.password) throw fail('must not hold credentials; use headers.authorization');
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '');
  const secure = parsed.protocol === 'https:';
  if (!allowInsecureHttp && isInsecure(parsed))
    throw fail(`is plain http to ${hostname}; use https or set ALLOW_INSECURE_HTTP=true`);
  const port = parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port);
  return { origin: parsed.origin, path: `${parsed.pathname}${parsed.search}`, hostname, port, secure };
}

/** Lower-cased headers, or a `sink-option-invalid` that names the header and not its value. */
export function checkHeaders(name: string, headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([header, value]) => {
      const lower = header.toLowerCase();
      const fail = (problem: string) => sinkOptionInvalid(name, `headers.${JSON.stringify(header)}`, problem);
      if (RESERVED.has(lower)) throw fail('is set by the sink itself');
      try {
        validateHeaderName(lower);
        validateHeaderValue(lower, value);
      } catch {
        throw fail('is not a valid HTTP header; look for line breaks and characters outside Latin-1');
      }
      return [lower, value];
    }),
  );
}

/** A whole number from 1, or a `sink-option-invalid`. */
export function checkPositive(name: string, option: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw sinkOptionInvalid(name, option, 'must be a whole number from 1');
  return value;
}
