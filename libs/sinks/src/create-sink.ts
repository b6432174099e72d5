import type { Sink } from '@genesys-kafka/delivery';
import type { Clock } from '@genesys-kafka/resilience';
import { SinkTypeError } from './errors.ts';
import { createFileSink, type FileSinkOptions } from './file/file-sink.ts';
import type { HttpSinkOptions } from './http/http-options.ts';
import { createHttpSink } from './http/http-sink.ts';

export type SinkConfig =
  | ({ readonly type: 'http' } & HttpSinkOptions)
  | ({ readonly type: 'file' } & FileSinkOptions)
  /** Planned, and refused by name. */
  | { readonly type: 's3' | 'kafka' | 'postgres'; readonly name: string };

/** The sink of a configuration. Throws `SinkTypeError` or `SinkOptionError`; opens nothing yet. */
export function createSink(config: SinkConfig, clock?: Clock): Sink {
  switch (config.type) {
    case 'http':
      return createHttpSink(config, clock);
    case 'file':
      return createFileSink(config, clock);
    case 's3':
    case 'kafka':
    case 'postgres':
      throw new SinkTypeError(config.name, config.type, 'is not available in this version');
    default: {
      const unknown: { readonly name: string; readonly type: string } = config;
      throw new SinkTypeError(unknown.name, unknown.type, 'is unknown');
    }
  }
}
