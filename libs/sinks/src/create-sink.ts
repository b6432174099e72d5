import type { Sink } from '@genesys-kafka/delivery';
import type { FileSinkOptions } from './file/file-options.ts';
import { createFileSink } from './file/file-sink.ts';
import type { HttpSinkOptions } from './http/http-options.ts';
import { createHttpSink } from './http/http-sink.ts';

export type SinkConfig = ({ readonly type: 'http' } & HttpSinkOptions) | ({ readonly type: 'file' } & FileSinkOptions);

/** The sink of a configuration. Throws `sink-option-invalid`; opens nothing yet. */
export function createSink(config: SinkConfig): Sink {
  switch (config.type) {
    case 'http':
      return createHttpSink(config);
    case 'file':
      return createFileSink(config);
  }
}
