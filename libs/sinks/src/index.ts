export { createSink, type SinkConfig } from './create-sink.ts';
