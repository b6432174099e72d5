import { isoTime } from './iso-time.ts';
import type { Random } from './random.ts';
import { ATTRIBUTES } from './vocabulary.ts';

/** Pieces of JSON text that every kind of conversation is made of. Times in ms since the epoch. */

export function metric(name: string, value: number, atMs: number): string {
  return `{"emitDate":"${isoTime(atMs)}","name":"${name}","value":${value}}`;
}

/** A segment; `extra` is JSON text of further members, each followed by a comma. An open segment has no end. */
export function segment(type: string, startMs: number, endMs: number | undefined, extra = ''): string {
  const end = endMs === undefined ? '' : `"segmentEnd":"${isoTime(endMs)}",`;
  return `{"conference":false,${extra}"segmentStart":"${isoTime(startMs)}",${end}"segmentType":"${type}"}`;
}

/** A number with 15 to 21 decimals, more than a double can hold. */
export function longDecimal(random: Random, whole: number): string {
  const digits = `${random.u32()}${random.u32()}`.padEnd(15, '7');
  return `${whole}.${digits}1`;
}

/** One voice leg's media statistics. */
export function mediaStats(random: Random, atMs: number): string {
  const codec = random.chance(0.7) ? 'audio/opus' : 'audio\\/PCMU';
  const packets = random.between(300, 30_000);
  return `{"codecs":["${codec}"],"eventTime":"${isoTime(atMs)}","maxLatencyMs":${random.between(20, 180)},"minMos":${longDecimal(random, 4)},"minRFactor":${random.between(70, 92)}.${random.between(100_000, 999_999)},"receivedPackets":${packets}}`;
}

/** `attributes` of a participant: `count` distinct pairs. */
export function attributes(random: Random, count: number): string {
  const most = Math.min(count, ATTRIBUTES.length);
  let at = random.below(ATTRIBUTES.length);
  let text = '';
  for (let n = 0; n < most; n++) {
    const [key, values] = ATTRIBUTES[at] ?? ['key', ['']];
    text += `${n === 0 ? '' : ','}"${key}":"${random.pick(values)}"`;
    at = (at + 1) % ATTRIBUTES.length;
  }
  return `{${text}}`;
}

/**
 * Attributes at the platform's limit of 1,024 characters each. The cut falls inside a surrogate pair in every other
 * one, as it does when an emoji straddles the limit: an escape that stands alone is valid JSON.
 */
export function longAttributes(random: Random, count: number): string {
  let text = '';
  for (let n = 0; n < count; n++) {
    const filler = `${random.hex8()} lorem ipsum dolor sit amet `.repeat(28).slice(0, 1023);
    text += `${n === 0 ? '' : ','}"transcript.${n}":"${filler}${n % 2 === 0 ? '\\ud83d' : '.'}"`;
  }
  return `{${text}}`;
}

/** A telephone address of the ranges kept free for fiction. */
export function telephone(random: Random): string {
  return `tel:+1555555${random.between(1000, 9999)}`;
}
