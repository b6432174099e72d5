import { Random } from './random.ts';

/**
 * The organisation that the conversations come from. Every string is the inside of a JSON string, spelled as it goes
 * on the wire: raw UTF-8 in some, escapes in others, because Genesys sends both and a reader must keep either.
 */
export interface Team {
  readonly name: string;
  readonly queueId: string;
  readonly flowId: string;
}

export interface Agent {
  readonly userId: string;
  readonly teamId: string;
}

const IDS = new Random().reset(20_251_001, 0);
const uuids = (count: number): string[] => Array.from({ length: count }, () => IDS.uuid());

export const DIVISIONS = uuids(3);
export const SKILLS = uuids(8);
export const LANGUAGES = uuids(4);
export const EDGES = uuids(4);
export const WRAP_UP_CODES = uuids(12);
export const KNOWLEDGE_BASES = uuids(2);
const TEAM_IDS = uuids(6);
export const AGENTS: readonly Agent[] = uuids(60).map((userId, n) => ({ userId, teamId: TEAM_IDS[n % 6] ?? '' }));

export const TEAMS: readonly Team[] = [
  'Billing Tier 1',
  'Billing Tier 2',
  'Returns',
  'Care Email',
  'Kundenservice Z\u00fcrich',
  'R\\u00e9clamations',
  'Ventas \\/ M\\u00e9xico',
  'VIP \\ud83d\\udc51',
].map((name) => ({ name, queueId: IDS.uuid(), flowId: IDS.uuid() }));

export const CALLER_NAMES = [
  'Springfield, IL',
  'A. Customer',
  'Ren\\u00e9e O\\u2019Neil',
  'Zo\u00eb Kr\u00fcger',
  '\u5c71\u7530 \u592a\u90ce',
  '\u0639\u0627\u0626\u0634\u0629',
  'Guest \\ud83d\\ude00',
  'Guest \ud83d\ude80',
  'O\\"Brien \\\\ Sons',
  'L\\u00facia Ara\\u00FAjo',
];

export const ENTRY_FLOWS = ['Main Inbound', 'Sprachmen\\u00fc', 'After Hours \\/ Holiday', 'Priority Line'].map(
  (name) => ({ name, id: IDS.uuid() }),
);

export const WRAP_UP_NOTES = [
  'Customer disputes September invoice',
  'Credit issued \\u2013 20\\u00a0\\u20ac',
  'R\u00fcckruf vereinbart',
  'Line 1\\nLine 2\\tafter a tab',
  'See https:\\/\\/wiki.example.com\\/kb\\/4711',
  'Promised a call back; asked for \\"manager\\"',
  '\u304a\u5ba2\u69d8\u306b\u8fd4\u91d1',
  'ok',
];

export const SUBJECTS = [
  'Re: damaged parcel, order R-10081',
  'Fwd: Rechnung f\u00fcr M\u00e4rz',
  'R\\u00e9f. 2231 \\/ remboursement',
  'Question about my contract \\ud83e\\udd14',
  'URGENT: no dial tone since Monday',
];

/** Attribute keys with the values they take; the first entries are the common ones. */
export const ATTRIBUTES: readonly (readonly [string, readonly string[]])[] = [
  ['ivr.Skills', ['billing', 'returns', 'technical', 'sales']],
  ['ivr.Priority', ['0', '5', '10']],
  ['customerTier', ['gold', 'silver', 'bronze', 'platin\\u00e9']],
  ['authMethod', ['pin', 'voiceprint', 'none']],
  ['context.locale', ['en-US', 'de-CH', 'fr-FR', 'ja-JP']],
  ['context.pageUrl', ['https:\\/\\/shop.example.com\\/returns?step=2', 'https://shop.example.com/cart?id=7&x=1']],
  ['account.balance', ['1234.500000000000000000001', '-0.00', '99999999999999999999.99']],
  ['account.serial', ['9007199254740993', '18446744073709551615']],
  ['survey.optIn', ['true', 'false']],
  ['lastIntent', ['order_status', 'refund', 'k\u00fcndigung', 'speak_to_agent']],
  ['notes', ['', ' ', 'caf\\u00E9 \\ud83d\\ude00', 'tab\\there', '\\u003cb\\u003ebold\\u003c\\/b\\u003e']],
  ['campaign.code', ['SUMMER-25', 'WINBACK', 'none']],
  ['crm.caseUrl', ['https://crm.example.com/cases/500Dn00000aBcDeIAK', '']],
  ['pseudo json', ['{\\"a\\":[1,2,{\\"b\\":null}]}', '[]', '}{', ']']],
  ['__proto__', ['x']],
  ['ivr.path', ['1>3>2', '1>9', '4>1>1>2']],
];
