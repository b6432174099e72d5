export interface FileSinkOptions {
  /** The file; its directories are made. */
  readonly path: string;
  /** When a file is renamed to `<path>.<moment>` and a new one begun. Default: never. */
  readonly rotate?: {
    /** It would grow past this; a batch that is larger has a file for itself. */
    readonly bytes?: number | undefined;
    /** It was begun so long ago, and is not empty. */
    readonly ageMs?: number | undefined;
  };
  /** `batch` (default): what is acknowledged is on the disk. `never`: it is the system's to write, and outlives this process only. */
  readonly sync?: 'batch' | 'never';
}
