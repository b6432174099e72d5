import { none } from 'stream-chain/defs.js';
import { jsonParser, type Token } from 'stream-json/parser.js';
import { jsonVerifier, type VerifierError } from 'stream-json/utils/verifier.js';

export interface TokenPiece {
  readonly tokens: readonly Token[];
  /** Characters that the tokens were read from. */
  readonly length: number;
  /** What is wrong, and where, with the text behind these tokens; nothing comes after it. */
  readonly fault?: string;
}

/** stream-json's tokens of a UTF-8 text, a piece for each chunk; a fault comes after all tokens before it. */
export async function* tokenPieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<TokenPiece, void> {
  // stream-json's parser says neither where a text breaks nor what came before in the same chunk. So its verifier goes
  // first, which takes as long again, and the parser is given what is sound.
  const verify = jsonVerifier({ jsonStreaming: true });
  const tokenize = jsonParser({ jsonStreaming: true, streamValues: false });
  const tokensOf = (text: string | typeof none): readonly Token[] => {
    const tokens = tokenize(text as string);
    return tokens === none ? [] : tokens.values;
  };
  let read = 0;
  for await (const { text, fault: badBytes } of texts(chunks)) {
    const fault = faultOf(() => verify(text));
    const sound = fault ? text.slice(0, Math.max(0, fault.offset - read)) : text;
    read += text.length;
    const reason = fault ? explain(fault) : badBytes;
    yield { tokens: tokensOf(sound), length: text.length, ...(reason === undefined ? {} : { fault: reason }) };
    if (reason !== undefined) return;
  }
  const fault = faultOf(() => verify(none as unknown as string));
  if (fault) yield { tokens: [], length: 0, fault: `${explain(fault)}, but the text ends` };
  else yield { tokens: tokensOf(none), length: 0 };
}

/** Without a byte order mark. */
async function* texts(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ text: string; fault?: string }, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let offset = 0;
  const decode = (chunk?: Buffer): { text: string; fault?: string } => {
    try {
      return { text: chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode() };
    } catch {
      return { text: '', fault: `there or shortly after, from byte ${offset} on, the text is not UTF-8` };
    }
  };
  for await (const chunk of chunks) {
    yield decode(chunk);
    offset += chunk.length;
  }
  yield decode();
}

function faultOf(verify: () => unknown): VerifierError | undefined {
  try {
    verify();
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'offset' in error) return error as VerifierError;
    throw error;
  }
}

function explain({ line, pos, message }: VerifierError): string {
  const reason = message.replace(/^ERROR at .*?: /, '').replace(/^Verifier (?:cannot parse input: |has )/, '');
  return `line ${line}, column ${pos}: ${reason.replace('escaped characters', 'a bad escape or a control character in a string')}`;
}
