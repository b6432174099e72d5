import type { IncomingHttpHeaders } from 'node:http';
import { headerOf } from '@genesys-kafka/http';
import { kindOfAnswer } from '../answer/http-answer.ts';
import { answerText } from './answer-text.ts';
import type { Ending } from './ending.ts';

/** Answers are read to their end, so that the connection can be used again, but no further than this. */
const MAX_ANSWER_BYTES = 65_536;

/** A complete answer, or as much of it as came. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** What was to be kept of the body: see `Request.keepBytes`. */
  readonly text: string;
}

/** What is sent, and what tells it from others. */
export interface Message {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Request extends Message {
  /**
   * So much of the body of a 2xx is kept, where that says what became of each record; 0: none. The body of a 409, which
   * may name a key, of a 400, which may be a web server's about us, and of HTML, which may be a page, is always kept.
   */
  readonly keepBytes: number;
  /** Of this request and the one after it with the same key; `onEnd` is the client's to set. */
  readonly ending: Ending;
  /** Told when the request is written: it has its connection by then, which in a burst takes a while. */
  readonly onWritten: () => void;
}

export interface HttpClient {
  /**
   * Resolves with the answer. The status alone decides nearly everything, so a body that breaks off, has no end or
   * stalls until it is ended changes nothing; before the answer's head an end rejects with its reason.
   */
  send(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

/** What is kept of an answer's body while it comes. */
export class AnswerBody {
  readonly #kept: Buffer[] = [];
  readonly #headers: IncomingHttpHeaders;
  readonly #keeps: boolean;
  readonly #most: number;
  #bytes = 0;

  constructor({ statusCode, headers }: Omit<Answer, 'text'>, keepBytes: number) {
    const isTaken = statusCode >= 200 && statusCode < 300;
    const isHtml = kindOfAnswer(headerOf(headers, 'content-type')) === 'html';
    this.#keeps = statusCode === 409 || statusCode === 400 || (isTaken && (keepBytes > 0 || isHtml));
    this.#headers = headers;
    this.#most = isTaken ? Math.max(keepBytes, MAX_ANSWER_BYTES) : MAX_ANSWER_BYTES;
  }

  get text(): string {
    return this.#kept.length === 0 ? '' : answerText(this.#headers, Buffer.concat(this.#kept), this.#most);
  }

  /** False when it has been read far enough. */
  take(chunk: Buffer): boolean {
    if (this.#keeps) this.#kept.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes <= this.#most;
  }
}
