import { hash } from 'node:crypto';

/** What a topic or an archive holds, in figures that do not depend on the order of the records. */
export interface Contents {
  readonly records: number;
  /** Different ones. */
  readonly keys: number;
  /** Of all values, without frames. */
  readonly bytes: number;
  /** Of every record's key and bytes. */
  readonly digest: string;
  /** Of the records in the sample, read as JSON: the same whatever their white space and spelling of numbers. */
  readonly sampleDigest: string;
}

/** One key of so many is in the sample. */
const SAMPLE = 64;

export class ContentsCounter {
  readonly #keys = new Set<string>();
  #records = 0;
  #bytes = 0;
  #digest = 0n;
  #sampleDigest = 0n;

  add(key: string, value: Buffer): void {
    this.#records += 1;
    this.#keys.add(key);
    this.#bytes += value.length;
    const keyDigest = sha256(key);
    this.#digest = BigInt.asUintN(64, this.#digest + (keyDigest ^ sha256(value)));
    if (keyDigest % BigInt(SAMPLE) !== 0n) return;
    this.#sampleDigest = BigInt.asUintN(64, this.#sampleDigest + sha256(meaning(value)));
  }

  contents(): Contents {
    return {
      records: this.#records,
      keys: this.#keys.size,
      bytes: this.#bytes,
      digest: this.#digest.toString(16),
      sampleDigest: this.#sampleDigest.toString(16),
    };
  }
}

/**
 * The record's JSON as any program that reads and writes it spells it here. Half a surrogate pair (a text that somebody
 * cut off) is no character: some keep it, and ijson's C backend makes a question mark of it.
 */
function meaning(value: Buffer): string {
  return JSON.stringify(JSON.parse(value.toString())).replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, '?');
}

function sha256(data: string | Buffer): bigint {
  return hash('sha256', data, 'buffer').readBigUInt64LE(0);
}

/** Rewriting drops white space and spells numbers anew: the sum of bytes stays near the archive's. */
const REWRITTEN_BYTES = 0.02;

/** What differs, in words; empty when all is there once. A program that writes records anew changes bytes, not keys. */
export function differences(found: Contents, expected: Contents, rewrites: boolean): string[] {
  const differ = (name: keyof Contents): string[] =>
    found[name] === expected[name] ? [] : [`${name}: ${found[name]} instead of ${expected[name]}`];
  const counts = [...differ('records'), ...differ('keys'), ...differ('sampleDigest')];
  if (!rewrites) return [...counts, ...differ('bytes'), ...differ('digest')];
  const isNear = Math.abs(found.bytes / expected.bytes - 1) <= REWRITTEN_BYTES;
  return isNear ? counts : [...counts, ...differ('bytes')];
}
