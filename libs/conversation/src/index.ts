export { conversationSchemaText } from './conversation-schema.ts';
export { chain, chainStart, contentDigest } from './digest.ts';
export { parseJson } from './exact-json.ts';
export {
  createRecordValidator,
  type InvalidRecord,
  type InvalidRecordCode,
  type RecordValidator,
  type ValidRecord,
} from './record-validator.ts';
