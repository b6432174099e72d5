import { visibleText } from './visible-text.ts';

const REDACTED = '[redacted]';
/** A shorter text is too likely to be an ordinary word: hiding it would garble every message. */
const LEAST_SECRET_LENGTH = 8;

const MAX_TEXT_LENGTH = 32_768;

const HIDDEN = new Set<string>();

/** Tokens live for minutes to days, and come for as long as the process runs: the latest of them are hidden. */
const MOST_ISSUED = 100;
const ISSUED: string[] = [];

/**
 * Hides this exact text from every log line and error message of the process from now on: a secret from the settings.
 * Its URL-encoded and base64 forms too.
 */
export function hideSecret(secret: string): void {
  for (const form of formsOf(secret)) HIDDEN.add(form);
}

/** The same for a token that was just issued, until a hundred others were. */
export function hideIssuedToken(token: string): void {
  hideSecret(token);
  ISSUED.push(token);
  const oldest = ISSUED.length > MOST_ISSUED ? ISSUED.shift()! : undefined;
  if (oldest !== undefined && !ISSUED.includes(oldest)) for (const form of formsOf(oldest)) HIDDEN.delete(form);
}

function formsOf(secret: string): string[] {
  if (secret.length < LEAST_SECRET_LENGTH) return [];
  return [secret, encodeURIComponent(secret.toWellFormed()), Buffer.from(secret).toString('base64')];
}

/** Names whose values are secrets, wherever they stand; compared without case, dashes and underscores. */
const SECRET_NAME =
  /(?:password|passwd|pwd|passphrase|secret|secretkey|token|authorization|cookies?|apikey|accesskey|accesskeyid|privatekey|signature|credentials?|jaasconfig)$/;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replace(/[-_.\s]/g, ''));
}

// Every repetition below is bounded or cannot restart inside itself: a hostile text must not hold up the event loop.
const PAIR_NAME =
  '(?:[\\w-]{0,40}(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key(?:[-_]?id)?|signature|credential)|authorization|(?:set-)?cookie)';
const RULES: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic|Digest|Negotiate)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  // JSON web tokens, wherever they appear.
  [/\beyJ[A-Za-z0-9_-]{5,1000}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, REDACTED],
  // name: "value" and name="value" in JSON, JAAS and headers; name=value in forms.
  [new RegExp(`(["']?${PAIR_NAME}["']?\\s*[:=]\\s*)(["'])(?:[^"'\\\\]|\\\\.)*\\2`, 'gi'), `$1$2${REDACTED}$2`],
  [new RegExp(`(\\b${PAIR_NAME}\\s*=\\s*)[^\\s&;,"']+`, 'gi'), `$1${REDACTED}`],
  [/\b((?:authorization|(?:set-)?cookie|x-api-key)\s*:\s*)[^\r\n"']+/gi, `$1${REDACTED}`],
];

/** What a word that is a URL or a path may show: no user and password, no query and no fragment. */
function redactWord(word: string): string {
  const at = word.search(/[?#]/);
  const hasQuery = at >= 0 && (word.includes('://') || (word.lastIndexOf('/', at) >= 0 && word.includes('=', at)));
  const shown = hasQuery ? word.slice(0, at) : word;
  // `user` is what our own advice calls a user.
  const withoutUser = shown.replace(/:\/\/(?!user@[^/@]*(?:\/|$))[^/]*@/g, `://${REDACTED}@`);
  return hasQuery ? `${withoutUser}?${REDACTED}` : withoutUser;
}

/** A text without secrets, whatever they stand in: URLs, headers, forms, JSON. Control characters become visible. */
export function redactText(text: string, options: { readonly keepLines?: boolean } = {}): string {
  let safe = text;
  for (const secret of HIDDEN) if (safe.includes(secret)) safe = safe.replaceAll(secret, REDACTED);
  safe = shorten(safe).replace(/[^\s"'<>\\]+/g, redactWord);
  for (const [pattern, replacement] of RULES) safe = safe.replace(pattern, replacement);
  return visibleText(safe, options);
}

/** No log needs more; cut between words, so that half a token is not left behind unrecognised. */
function shorten(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  const end = Math.max(text.lastIndexOf(' ', MAX_TEXT_LENGTH), text.lastIndexOf('\n', MAX_TEXT_LENGTH), 0);
  return `${text.slice(0, end)} [${text.length - end} characters more]`;
}

/** A copy of a JSON value without secrets: by name at any depth, and inside every text. Bytes are not shown. */
export function redactJson(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return redactText(value, { keepLines: name === 'stack' });
  if (Array.isArray(value)) return redactList(value);
  if (typeof value !== 'object' || value === null) return value;
  // How JSON.stringify writes a Buffer: a record or a token, and neither belongs into a log.
  const { type, data } = value as { type?: unknown; data?: unknown };
  if (type === 'Buffer' && Array.isArray(data)) return '[bytes]';
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const isHidden = isSecretName(key) && typeof item !== 'boolean' && item !== null;
    const safe = isHidden ? REDACTED : redactJson(item, key);
    // Defined, not assigned: `__proto__` is a name like any other.
    Object.defineProperty(result, redactText(key), { value: safe, enumerable: true, configurable: true });
  }
  return result;
}

function redactList(list: readonly unknown[]): unknown[] {
  return list.map((item, index) => {
    // Raw headers come as a flat list of names and values.
    const before = list[index - 1];
    const isHidden = index % 2 === 1 && typeof before === 'string' && before.length < 64 && isSecretName(before);
    return isHidden ? REDACTED : redactJson(item);
  });
}
