// An independent client that generates load: keeps some sends in flight, sends unacked ones again after a reconnect,
// and remembers every ack. It follows docs/protocol.md, section 6.

import { randomUUID } from "node:crypto";
import WebSocket from "ws";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../protocol/generated/protocol";
import { type Frame, uuid7 } from "../harness/protocol-client";

/** The maximum that a client may have in flight. */
const WINDOW = 32;
/** How long it waits before it reconnects, in ms: roughly as long as the server is down. */
const AGAIN_MS = 20;

export class Writer {
  /** The acked offset of each message. */
  readonly acked = new Map<string, number>();
  /** Ids in the order in which they were first sent. */
  readonly sent: string[] = [];
  /** Errors other than lost connections. */
  readonly errors: string[] = [];
  readonly #session = randomUUID();
  readonly #url: string;
  readonly #user: string;
  readonly #channel: string;
  /** Unacked messages, in order. */
  readonly #open = new Map<string, Frame>();
  #socket: WebSocket | undefined;
  #welcomed = false;
  #writing = true;
  #over = false;

  constructor(url: string, user: string, channel: string) {
    this.#url = `${url.replace(/^http/, "ws")}${WEBSOCKET_PATH}`;
    this.#user = user;
    this.#channel = channel;
    this.#connect();
  }

  /** Sends no new messages. */
  finish(): void {
    this.#writing = false;
  }

  /** Whether everything that was sent is acked. */
  get allAcked(): boolean {
    return this.#open.size === 0;
  }

  end(): void {
    this.#over = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#over) return;
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    this.#welcomed = false;
    socket.on("open", () => {
      const guest = { user: this.#user, name: this.#user };
      socket.send(JSON.stringify([{ type: "hello", version: 1, session: this.#session, guest }]));
    });
    socket.on("message", (data) => {
      for (const frame of JSON.parse(String(data)) as Frame[]) this.#frame(frame);
      this.#fill();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => setTimeout(() => this.#connect(), AGAIN_MS));
  }

  #frame(frame: Frame): void {
    if (frame.type === "welcome") {
      this.#welcomed = true;
      // All unacked messages in order: the server may have stored some of them.
      if (this.#open.size > 0) this.#socket?.send(JSON.stringify([...this.#open.values()]));
    } else if (frame.type === "ack") {
      const id = String(frame.id);
      const before = this.acked.get(id);
      if (before !== undefined && before !== frame.offset)
        this.errors.push(`${id}: ${before}, then ${frame.offset}`);
      this.acked.set(id, Number(frame.offset));
      this.#open.delete(id);
    } else if (frame.type === "error") {
      this.errors.push(JSON.stringify(frame));
    } else if (frame.type === "ping") {
      this.#socket?.send(JSON.stringify([{ type: "pong", nonce: frame.nonce }]));
    }
  }

  #fill(): void {
    if (!this.#welcomed || !this.#writing) return;
    const batch: Frame[] = [];
    while (this.#open.size < WINDOW) {
      const id = uuid7();
      const frame = {
        type: "send",
        id,
        channel: this.#channel,
        data: { by: this.#user, n: this.sent.length },
      };
      this.sent.push(id);
      this.#open.set(id, frame);
      batch.push(frame);
    }
    if (batch.length > 0) this.#socket?.send(JSON.stringify(batch));
  }
}
