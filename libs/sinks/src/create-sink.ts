import type { Sink } from '@genesys-kafka/delivery';
import type { FileSinkOptions } from './file/file-options.ts';
import { createFileSink } from './file/file-sink.ts';
import type { HttpSinkOptions } from './http/http-options.ts';
import { createHttpSink } from './http/http-sink.ts';
import type { PostgresSinkOptions } from './postgres/postgres-options.ts';
import { createPostgresSink } from './postgres/postgres-sink.ts';

export type SinkConfig =
  | ({ readonly type: 'http' } & HttpSinkOptions)
  | ({ readonly type: 'file' } & FileSinkOptions)
  | ({ readonly type: 'postgres' } & PostgresSinkOptions);

/** The sink of a configuration. Throws `sink-option-invalid`; opens nothing yet. */
export function createSink(config: SinkConfig): Sink {
  switch (config.type) {
    case 'http':
      return createHttpSink(config);
    case 'file':
      return createFileSink(config);
    case 'postgres':
      return createPostgresSink(config);
  }
}
