import { ParserError } from './errors.ts';
import { RecordScanner } from './record-scanner.ts';

/**
 * Reads a document ahead of its records, only to see whether it shows its own end: its array, or the object around it,
 * is closed. Faults are for whoever reads the records. Keeps no bytes.
 */
export class EndCheck {
  readonly #scanner: RecordScanner;
  #fault: unknown;

  constructor(maxDepth: number) {
    this.#scanner = new RecordScanner({ maxDepth, maxRecordBytes: 0 });
  }

  push(chunk: Buffer): void {
    this.#scan(() => this.#scanner.push(chunk));
  }

  /** To be asked once all of it was pushed. */
  get isClosed(): boolean {
    this.#scan(() => this.#scanner.end());
    if (this.#fault === undefined) return this.#scanner.isClosed;
    return this.#fault instanceof ParserError && this.#fault.code === 'trailing-text';
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
