export interface FileSinkOptions {
  /** The file; its directories are made. */
  readonly path: string;
  /** A file that would grow past this is renamed to `<path>.<moment>` and a new one begun. Default: never. */
  readonly maxBytes?: number;
}
