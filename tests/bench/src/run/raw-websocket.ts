// WebSockets on plain TCP sockets, thousands of them in one process: whoever measures a server must cost less than it. Messages
// are counted, not parsed.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A WebSocket that counts what it receives. */
export interface RawWebSocket {
  /** Sends a text. */
  send(text: string): void;
  close(): void;
}

/** What occurs once in each message, in whatever encoding of a server. */
export const MARK = Buffer.from('"type":"message"');

/**
 * Opens a WebSocket at `url`. `onBytes` is called with whatever the server sends, headers of messages included; `onClose` when it has
 * closed the connection.
 */
export async function openRaw(
  url: URL,
  protocol: string | undefined,
  onBytes: (bytes: Buffer) => void,
  onClose: () => void,
): Promise<RawWebSocket> {
  const socket = connect(Number(url.port), url.hostname);
  await once(socket, "connect");
  socket.setNoDelay(true);
  socket.write(
    [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
      "\r\n",
    ].join("\r\n"),
  );
  const rest = await upgraded(socket);
  if (rest.length > 0) onBytes(rest);
  socket.on("data", onBytes);
  let closed = false;
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    if (!closed) onClose();
  });
  return {
    send: (text) => socket.write(frame(text)),
    close() {
      closed = true;
      socket.destroy();
    },
  };
}

/** Waits for the answer to the handshake. Returns what came behind it. */
function upgraded(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const onData = (bytes: Buffer) => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", onData);
      socket.off("close", onClose);
      const status = head.subarray(0, head.indexOf("\r\n")).toString();
      if (status.includes(" 101 ")) resolve(head.subarray(end + 4));
      else reject(new Error(`the server does not open a WebSocket: ${status}`));
    };
    const onClose = () => reject(new Error("the server closed the socket before the WebSocket was open"));
    socket.on("data", onData);
    socket.on("close", onClose);
  });
}

/** A text message of a client. The mask is zero, so that the text is its own masked form. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  if (payload.length > 0xffff) throw new Error("too long for this client");
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

/** Counts marks in a stream of bytes that comes in pieces. */
export class MarkCounter {
  readonly #mark: Buffer;
  #tail = Buffer.alloc(0);
  count = 0;

  constructor(mark = MARK) {
    this.#mark = mark;
  }

  add(bytes: Buffer): void {
    const mark = this.#mark;
    // A mark may begin in one piece and end in the next.
    if (this.#tail.length > 0) {
      const seam = Buffer.concat([this.#tail, bytes.subarray(0, mark.length - 1)]);
      if (seam.includes(mark)) this.count++;
    }
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) this.count++;
    const end = Buffer.concat([this.#tail, bytes.subarray(-mark.length + 1)]);
    this.#tail = Buffer.from(end.subarray(-mark.length + 1));
  }
}
