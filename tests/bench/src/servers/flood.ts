// Everything that a client receives, encoded as WebSocket messages before it connects and then written to its TCP
// socket at once: this measures the client, not a library that encodes and sends messages one by one.

import type { Socket } from "node:net";

/** A text as an unmasked WebSocket message of one frame (RFC 6455, section 5.2). */
function encode(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** The channels that every server of a benchmark has: everything, or the first message only. */
export class Flood {
  readonly #all: Buffer;
  readonly #first: Buffer;

  constructor(texts: readonly string[], first = texts.slice(0, 1)) {
    this.#all = Buffer.concat(texts.map(encode));
    this.#first = Buffer.concat(first.map(encode));
  }

  /** Writes the messages of a channel to a socket that nothing else writes to. */
  send(channel: string, socket: Socket): void {
    socket.write(channel === "first" ? this.#first : this.#all);
  }
}
