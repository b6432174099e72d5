import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { giveBack } from '@genesys-kafka/resilience/memory';

/** Nothing else ends in these bytes. */
const MARK = randomBytes(16);
const PLACE_BYTES = MARK.length + 4;

/** Not written yet, by the number in their place-holders. */
const bodies = new Map<number, Buffer>();
let made = 0;

/**
 * What kafkajs is given in place of a request's body: it copies a body twice, into zeroed memory of up to twice the size,
 * which waits for the garbage collector then. A socket of `writingBodies` writes the body itself. Of a request that
 * is over, written or not, `forgetBody` is to be told.
 */
export function placeHolder(body: Buffer): Buffer {
  made = (made + 1) % 2 ** 32;
  bodies.set(made, body);
  const place = Buffer.alloc(PLACE_BYTES);
  MARK.copy(place);
  place.writeUInt32BE(made, MARK.length);
  return place;
}

export function forgetBody(place: Buffer): void {
  bodies.delete(place.readUInt32BE(MARK.length));
}

/** The socket, which writes bodies for their place-holders, and gives their memory back once they are written. */
export function writingBodies<S extends Socket>(socket: S): S {
  const write = socket.write.bind(socket) as (bytes: Buffer, written?: () => void) => boolean;
  socket.write = (request: Buffer): boolean => {
    const headBytes = request.length - PLACE_BYTES;
    if (headBytes < 4 || !request.subarray(headBytes, -4).equals(MARK)) return write(request);
    const number = request.readUInt32BE(request.length - 4);
    const body = bodies.get(number);
    bodies.delete(number);
    if (!body) {
      socket.destroy(new Error('a request was to be written that is over'));
      return false;
    }
    const head = request.subarray(0, headBytes);
    head.writeInt32BE(headBytes - 4 + body.length, 0);
    socket.cork();
    write(head);
    const hasRoom = write(body, () => giveBack(body));
    socket.uncork();
    return hasRoom;
  };
  return socket;
}
