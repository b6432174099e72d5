export { createSink, type SinkConfig } from './create-sink.ts';
export { SINK_ERRORS, SinkError } from './errors.ts';
