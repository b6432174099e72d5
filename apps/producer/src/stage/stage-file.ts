import { crc32 } from 'node:zlib';
import { ArchiveError, SpoolFile } from '@genesys-kafka/archive';
import { giveBack } from '@genesys-kafka/resilience/memory';
import { placeOf, stepOf } from './reply.ts';
import type { StagedStep } from './staged-step.ts';
import type { BatchPlace } from './thread-messages.ts';

/** Before each step: the length of what describes it, of its records' facts and of its batches, and a CRC-32 of all that and of the lengths. */
const HEAD_BYTES = 16;

interface Description {
  readonly firstOrdinal: number;
  readonly batches: readonly BatchPlace[];
}

/** Steps on disk, one after the other, as they will be sent: about a seventh of the records' bytes. */
export class StageFile implements AsyncDisposable {
  readonly #file: SpoolFile;
  #end = 0;

  private constructor(file: SpoolFile) {
    this.#file = file;
  }

  /** In the spool directory, which is made where it is missing. Raises ArchiveError, `spool-…`. */
  static async create(spoolDir: string): Promise<StageFile> {
    return new StageFile(await SpoolFile.create(spoolDir));
  }

  async append({ firstOrdinal, facts, batches }: StagedStep): Promise<void> {
    const described: Description = { firstOrdinal, batches: batches.map(placeOf) };
    const description = Buffer.from(JSON.stringify(described));
    const packed = batches.map(({ batch }) => batch.bytes);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(description.length, 0);
    head.writeUInt32LE(facts.bytes.length, 4);
    const body = Buffer.concat([head, description, facts.bytes, ...packed]);
    body.writeUInt32LE(body.length - HEAD_BYTES - description.length - facts.bytes.length, 8);
    body.writeUInt32LE(crc32(body.subarray(HEAD_BYTES), crc32(body.subarray(0, 12))), 12);
    await this.#file.write(body, this.#end);
    this.#end += body.length;
    giveBack(body);
  }

  /** All steps in their order. Raises ArchiveError: `spool-damaged` where the disk gives back something else. */
  async *steps(): AsyncGenerator<StagedStep> {
    for (let at = 0; at < this.#end;) {
      const head = await this.#file.read(at, HEAD_BYTES);
      const [described, facts, packed, crc] = [0, 4, 8, 12].map((place) => head.readUInt32LE(place)) as [
        number,
        number,
        number,
        number,
      ];
      const end = at + HEAD_BYTES + described + facts + packed;
      if (end > this.#end) throw damaged(at);
      const body = await this.#file.read(at + HEAD_BYTES, end - at - HEAD_BYTES);
      if (crc32(body, crc32(head.subarray(0, 12))) !== crc) throw damaged(at);
      const { firstOrdinal, batches } = JSON.parse(body.toString('utf8', 0, described)) as Description;
      yield stepOf(firstOrdinal, {
        batches,
        facts: body.subarray(described, described + facts) as Buffer<ArrayBuffer>,
        packed: body.subarray(described + facts) as Buffer<ArrayBuffer>,
      });
      at = end;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.remove();
  }
}

function damaged(at: number): ArchiveError {
  return new ArchiveError('spool-damaged', `A stage file is not what was written to it, from byte ${at} on.`);
}
