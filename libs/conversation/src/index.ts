export { conversationSchemaText } from './conversation-schema.ts';
export { contentDigest } from './digest.ts';
export { createRecordValidator, tooCostly, type InvalidRecord, type RecordValidator } from './record-validator.ts';
