export { createSink, type SinkConfig } from './create-sink.ts';
export { SinkFileError, SinkOptionError, SinkTypeError, SinkUnreachableError } from './errors.ts';
export { createFileSink, type FileSinkOptions } from './file-sink.ts';
export type { HttpSinkOptions } from './http-options.ts';
export { createHttpSink } from './http-sink.ts';
