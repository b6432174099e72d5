export { conversationSchemaText } from './conversation-schema.ts';
export { chain, chainStart, contentDigest } from './digest.ts';
export { parseJson } from './exact-json.ts';
export { createRecordValidator, tooCostly, type InvalidRecord, type RecordValidator } from './record-validator.ts';
