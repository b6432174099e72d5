import type { Random } from './random.ts';

/**
 * Members that today's schema does not know, with numbers that a double cannot hold. Valid records: the model is
 * open, and a reader that re-writes numbers shows here.
 */
export function unknownMembers(random: Random): string {
  return `"interactionSerial":${random.pick(['9007199254740993', '9223372036854775807', '-9007199254740993'])},"sentimentModel":{"score":-0.${random.u32()}${random.u32()}${random.u32()},"weights":[-0,1E2,1e-7,0.10000000000000000555111512312578270],"label":"\\u00fcber\\/neutral"},`;
}

/** The same record with whitespace where JSON allows it. No string of the vocabulary ends in a comma. */
export function spreadOut(text: string): string {
  return ` ${text.replaceAll(',"', ' ,\r\n\t"').replaceAll('":', '" : ')}`;
}

/**
 * A record that a validating reader must refuse, in the ways seen in practice. All are balanced, so that a scanner
 * still finds the record's end; the last two are not JSON values at all.
 */
export function spoil(random: Random, text: string): string {
  switch (random.below(6)) {
    case 0:
      return text.replace('"conversationId":', '"conversation_id":');
    case 1:
      return text.replace(/"conversationStart":"[^"]*"/, '"conversationStart":"yesterday"');
    case 2:
      return text.replace('"participants":[', '"participants":"none","participantsWere":[');
    case 3:
      return text.replace('"value":1}', '"value":"one"}');
    case 4:
      return text.replace('"purpose":"customer"', '"purpose":customer');
    default:
      return text.replace('"conference":false', '"conference":False');
  }
}
