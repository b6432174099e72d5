import { visibleText } from '@genesys-kafka/runtime/visible-text';

/** What the readers of headers take: kafkajs hands out buffers, tests and formatters strings. */
export type HeaderMap = Readonly<Record<string, Buffer | string | undefined>>;

const MAX_TEXT_CHARS = 1000;

/** Free text made fit for a header: what cannot be seen is escaped, and the length is bounded. Not reversible. */
export function printableText(text: string, maxChars: number = MAX_TEXT_CHARS): string {
  const visible = visibleText(text.replaceAll('\t', ' '));
  return visible.length > maxChars ? `${visible.slice(0, maxChars - 1)}…` : visible;
}

const PLAIN_TOKEN = /^[A-Za-z0-9._~:-]*$/;

/**
 * A name or identity made of letters, digits and `. _ ~ : -` alone, everything else percent-encoded as UTF-8:
 * reversible, so two identities never become one, and never in need of escaping in HTTP, JSON or a log.
 */
export function encodeToken(text: string): string {
  if (PLAIN_TOKEN.test(text)) return text;
  return Array.from(Buffer.from(text.toWellFormed()), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9._~:-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** Undoes `encodeToken`; undefined where the text is not one of its results. */
export function decodeToken(token: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._~:-]|%[0-9A-F]{2})*$/.test(token)) return undefined;
  try {
    return decodeURIComponent(token);
  } catch {
    return undefined;
  }
}
