import { ParserError } from './errors.ts';
import { RecordScanner } from './record-scanner.ts';

/**
 * Reads a document ahead of its records, only to see that nothing follows its end. Every other fault is for whoever
 * reads the records, since those before it stand. Keeps no bytes.
 */
export class TrailingTextCheck {
  readonly #scanner: RecordScanner;
  #fault: unknown;

  constructor(maxDepth: number) {
    this.#scanner = new RecordScanner({ maxDepth, maxRecordBytes: 0 });
  }

  push(chunk: Buffer): void {
    this.#scan(() => this.#scanner.push(chunk));
  }

  /** Throws a ParserError, `trailing-text`. */
  end(): void {
    this.#scan(() => this.#scanner.end());
    if (this.#fault instanceof ParserError && this.#fault.code === 'trailing-text') throw this.#fault;
  }

  /** Whether the document itself shows that it is whole: its array, or the object around it, is closed. */
  get isClosed(): boolean {
    return this.#fault === undefined && this.#scanner.isClosed;
  }

  #scan(scan: () => unknown): void {
    if (this.#fault !== undefined) return;
    try {
      scan();
    } catch (error) {
      this.#fault = error;
    }
  }
}
