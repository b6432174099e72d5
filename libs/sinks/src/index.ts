export { createSink, type SinkConfig } from './create-sink.ts';
export { SinkFileError, SinkOptionError, SinkTypeError, SinkUnreachableError } from './errors.ts';
export { createFileSink, type FileSinkOptions } from './file/file-sink.ts';
export type { HttpSinkOptions } from './http/http-options.ts';
export { createHttpSink } from './http/http-sink.ts';
