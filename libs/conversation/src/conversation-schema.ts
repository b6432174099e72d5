import { readFileSync } from 'node:fs';

/**
 * The JSON Schema (draft-07) of one conversation detail record, as registered for the topic's values. Open content
 * model: fields it does not name are allowed everywhere, and known values are `examples`, never an enum.
 */
export const conversationSchemaText: string = readFileSync(
  new URL('../schemas/conversation.schema.json', import.meta.url),
  'utf8',
);
