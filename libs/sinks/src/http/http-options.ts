import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { BatchLimits } from '@genesys-kafka/delivery';
import { isInsecure, type Proxy } from '@genesys-kafka/http';
import { sinkOptionInvalid } from '../errors.ts';
import type { ItemAnswerOptions } from './answer/item-answers.ts';
import type { BodyOptions } from './body/body-format.ts';
import type { ExpressionOptions } from './expressions/record-expressions.ts';
import type { ClientTlsOptions } from './login/client-certificate.ts';
import type { AuthOptions } from './login/auth-options.ts';
import type { SignatureOptions } from './login/signature.ts';
import type { METHODS } from './methods.ts';

export interface HttpSinkOptions {
  /** Name in the configuration, for messages. */
  readonly name: string;
  /** Path and query may hold `{name}`, which `expressions.path` fills for each record. */
  readonly url: string;
  /** Default POST. */
  readonly method?: (typeof METHODS)[number];
  /** Sent with every request, for example `x-api-key`. Values are secrets: they appear in no error and no log. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: one record a request. */
  readonly batch?: BatchLimits;
  /** Default: the record's own bytes; an array where a batch holds several. */
  readonly body?: BodyOptions;
  /** Default: an answer speaks of all records of its request. */
  readonly answers?: ItemAnswerOptions | undefined;
  /** What a 2xx with a page of HTML means. Default: not the word of a target, and nothing is taken. */
  readonly pages?: 'refused' | 'taken';
  readonly auth?: AuthOptions | undefined;
  readonly signature?: SignatureOptions | undefined;
  readonly tls?: ClientTlsOptions | undefined;
  readonly expressions?: ExpressionOptions;
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
  /** With the query; `{name}` as it was written. */
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
  if (parsed.username || parsed.password) throw fail('must not hold credentials; use auth');
  if (/[{}]/.test(parsed.host)) throw fail('may hold {name} in its path and query, not in its host');
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '');
  const secure = parsed.protocol === 'https:';
  if (!allowInsecureHttp && isInsecure(parsed))
    throw fail(`is plain http to ${hostname}; use https or set ALLOW_INSECURE_HTTP=true`);
  const port = parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port);
  // The parser encodes braces in a path, though not in a query.
  const path = parsed.pathname.replaceAll(/%7B(\w+)%7D/g, '{$1}') + parsed.search;
  return { origin: parsed.origin, path, hostname, port, secure };
}

/** Lower-cased headers, or a `sink-option-invalid` that names the header and not its value. */
export function checkHeaders(name: string, headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([header, value]) => {
      const option = `headers.${JSON.stringify(header)}`;
      const lower = checkHeaderName(name, option, header);
      try {
        validateHeaderValue(lower, value);
      } catch {
        throw sinkOptionInvalid(
          name,
          option,
          'is not a valid HTTP header; look for line breaks and characters outside Latin-1',
        );
      }
      return [lower, value];
    }),
  );
}

/** In lower case, or a `sink-option-invalid`. */
export function checkHeaderName(name: string, option: string, header: string): string {
  const lower = header.toLowerCase();
  if (RESERVED.has(lower)) throw sinkOptionInvalid(name, option, 'is set by the sink itself');
  try {
    validateHeaderName(lower);
  } catch {
    throw sinkOptionInvalid(name, option, 'is not a valid name of an HTTP header');
  }
  return lower;
}

/** A whole number from 1, or a `sink-option-invalid`. */
export function checkPositive(name: string, option: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw sinkOptionInvalid(name, option, 'must be a whole number from 1');
  return value;
}
