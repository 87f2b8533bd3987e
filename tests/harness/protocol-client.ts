// An independent client: it speaks the protocol over a plain WebSocket exactly as docs/protocol.md describes it, and
// can also send invalid data.

import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../protocol/generated/protocol";
import { until } from "./until";

export type Frame = { readonly type: string } & Readonly<Record<string, unknown>>;

export class ProtocolClient {
  readonly session = randomUUID();
  readonly frames: Frame[] = [];
  /** The close code, once it is closed. */
  closed: number | undefined;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.frames.push(...(JSON.parse(String(data)) as Frame[])));
    socket.on("close", (code) => {
      this.closed = code;
    });
    // The close event reports it.
    socket.on("error", () => undefined);
  }

  /** Opens a WebSocket without sending anything. */
  static async open(url: string): Promise<ProtocolClient> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}${WEBSOCKET_PATH}`, SUBPROTOCOL);
    const client = new ProtocolClient(socket);
    onTestFinished(() => socket.terminate());
    await new Promise((open, failed) => {
      socket.once("open", open);
      socket.once("error", failed);
    });
    return client;
  }

  /** Opens a WebSocket, sends hello as a guest, and waits for the welcome. */
  static async join(url: string, user: string): Promise<ProtocolClient> {
    const client = await ProtocolClient.open(url);
    client.send({ type: "hello", version: 1, session: client.session, guest: { user, name: user } });
    await client.waitForFrame("welcome");
    return client;
  }

  /** Sends a batch of these frames. */
  send(...frames: Frame[]): void {
    this.raw(JSON.stringify(frames));
  }

  /** Sends arbitrary data. */
  raw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** Waits for a frame of this type with these fields. */
  waitForFrame(type: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Frame> {
    return until(
      `a ${type} ${JSON.stringify(fields)} comes`,
      () =>
        this.frames.find(
          (frame) =>
            frame.type === type && Object.entries(fields).every(([name, value]) => frame[name] === value),
        ),
      { seen: () => [this.frames.slice(-5), this.closed] },
    );
  }

  /** Waits for the close, and returns its code. */
  async waitForClose(): Promise<number> {
    await until("the server closes", () => this.closed !== undefined, { seen: () => this.frames.slice(-5) });
    return this.closed ?? 0;
  }

  close(): void {
    this.#socket.close(1000);
  }

  /** Ends it without a close frame. */
  cut(): void {
    this.#socket.terminate();
  }
}

/** A UUID version 7, as message ids are. */
export function uuid7(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const rest = randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(15)}`;
}
