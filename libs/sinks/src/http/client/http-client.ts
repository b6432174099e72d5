import type { IncomingHttpHeaders } from 'node:http';
import type { Ending } from './ending.ts';

/** Answers are read to their end, so that the connection can be used again, but no further than this. */
const MAX_ANSWER_BYTES = 65_536;

/** A complete answer, or as much of it as came. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** The body of a 409, which may name a key; of other answers nothing is kept. */
  readonly text: string;
}

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
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
  post(request: Post): Promise<Answer>;
  close(): Promise<void>;
}

/** What is kept of an answer's body while it comes. */
export class AnswerBody {
  text = '';
  readonly #isKept: boolean;
  #bytes = 0;

  constructor(statusCode: number) {
    this.#isKept = statusCode === 409;
  }

  /** False when it has been read far enough. */
  take(chunk: Buffer): boolean {
    if (this.#isKept) this.text += chunk.toString('latin1');
    this.#bytes += chunk.length;
    return this.#bytes <= MAX_ANSWER_BYTES;
  }
}
