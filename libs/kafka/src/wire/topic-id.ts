/** Metadata of this version and later carries topic ids (KIP-516, Kafka 2.8). */
export const TOPIC_ID_METADATA_VERSION = 10;

const NO_ID = '0'.repeat(32);

/**
 * The body of a Metadata request (version 10) for one topic. The first byte ends the request's header, which has tagged
 * fields since flexible versions came (KIP-482), and which the client writes without.
 */
export function encodeTopicIdRequest(topic: string): Buffer {
  const name = Buffer.from(topic);
  const [tags, notAllowed] = [Uint8Array.of(0), Uint8Array.of(0)];
  const asked = Buffer.concat([Buffer.alloc(16), uvarint(name.length + 1), name, tags]);
  // Nothing is created, and the operations that are allowed are not asked for, of the cluster or the topic.
  return Buffer.concat([tags, uvarint(2), asked, notAllowed, notAllowed, notAllowed, tags]);
}

/** The topic's id in hexadecimal; undefined where the broker knows no such topic. */
export function decodeTopicId(body: Buffer): string | undefined {
  // The header's tagged fields, throttle time 4.
  const reader = new CompactReader(body);
  reader.skipTags();
  reader.at += 4;
  for (let brokers = reader.uvarint() - 1; brokers > 0; brokers -= 1) {
    reader.at += 4;
    reader.skipText();
    reader.at += 4;
    reader.skipText();
    reader.skipTags();
  }
  reader.skipText();
  reader.at += 4;
  if (reader.uvarint() - 1 <= 0) return undefined;
  const errorCode = body.readInt16BE(reader.at);
  reader.at += 2;
  reader.skipText();
  const id = body.toString('hex', reader.at, reader.at + 16);
  return errorCode !== 0 || id === NO_ID ? undefined : id;
}

function uvarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.of(...bytes, rest);
}

/** Kafka's compact strings and tagged fields, of which only the ends matter here. */
class CompactReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes.readUInt8(this.at);
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Null is 0, and empty is 1. */
  skipText(): void {
    const length = this.uvarint();
    this.at += Math.max(0, length - 1);
  }

  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint();
      const length = this.uvarint();
      this.at += length;
    }
  }
}
