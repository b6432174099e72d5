/** Metadata of this version and later carries topic ids (KIP-516, Kafka 2.8). */
export const TOPIC_ID_METADATA_VERSION = 10;

const NO_ID = '0'.repeat(32);

/** Of Kafka's numbers for operations (`AclOperation`), the bits that matter to whoever reads and writes. */
const READ_BIT = 1 << 3;
const WRITE_BIT = 1 << 4;

export interface TopicRights {
  readonly read: boolean;
  readonly write: boolean;
}

/**
 * The body of a Metadata request (version 10) for one topic. The first byte ends the request's header, which has tagged
 * fields since flexible versions came (KIP-482), and which the client writes without.
 */
export function encodeTopicIdRequest(topic: string, asksRights = false): Buffer {
  const name = Buffer.from(topic);
  const tags = Uint8Array.of(0);
  const asked = Buffer.concat([Buffer.alloc(16), uvarint(name.length + 1), name, tags]);
  // Nothing is created; the operations that are allowed are asked for of the topic at most, never of the cluster.
  const flags = Uint8Array.of(0, 0, asksRights ? 1 : 0);
  return Buffer.concat([tags, uvarint(2), asked, flags, tags]);
}

/** The topic's id in hexadecimal; undefined where the broker knows no such topic. */
export function decodeTopicId(body: Buffer): string | undefined {
  return readToTopicId(body)?.id;
}

/** What the asker may do to the topic, where that was asked for; undefined where the broker knows no such topic. */
export function decodeTopicRights(body: Buffer): TopicRights | undefined {
  const reader = readToTopicId(body)?.reader;
  if (!reader) return undefined;
  // Whether it is internal; then of each partition its error, number, leader and epoch, and three lists of brokers.
  reader.at += 1;
  for (let partitions = reader.uvarint() - 1; partitions > 0; partitions -= 1) {
    reader.at += 14;
    for (let list = 0; list < 3; list += 1) reader.skipInt32s();
    reader.skipTags();
  }
  const bits = body.readInt32BE(reader.at);
  return { read: (bits & READ_BIT) !== 0, write: (bits & WRITE_BIT) !== 0 };
}

function readToTopicId(body: Buffer): { readonly id: string; readonly reader: CompactReader } | undefined {
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
  reader.at += 16;
  return errorCode !== 0 || id === NO_ID ? undefined : { id, reader };
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

  skipInt32s(): void {
    const length = this.uvarint();
    this.at += Math.max(0, length - 1) * 4;
  }

  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint();
      const length = this.uvarint();
      this.at += length;
    }
  }
}
