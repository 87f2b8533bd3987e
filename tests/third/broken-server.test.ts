// The third client against a server that breaks the protocol, or is about to stop: it keeps its positions, and comes back.

import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { SUBPROTOCOL } from "../../protocol/generated/protocol";
import { until } from "../harness/until";
import { PYTHON, Third } from "./third";

type Frame = { readonly type: string } & Readonly<Record<string, unknown>>;

type Answer = (send: (...frames: Frame[]) => void, socket: WebSocket) => void;

const CHANNEL = "news";
const LIMITS = { payload_bytes: 32768, batch_bytes: 65536, batch_frames: 300, subscriptions: 256 };

/** A server by script: each connection is answered by the next function, which gets what the client has asked for. */
class Scripted {
  readonly hellos: Frame[][] = [];
  readonly received: Frame[] = [];
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => SUBPROTOCOL });

  static async start(...answers: Answer[]): Promise<Scripted> {
    const server = new Scripted(answers);
    await new Promise((listening) => server.#server.once("listening", listening));
    return server;
  }

  private constructor(answers: readonly Answer[]) {
    onTestFinished(() => {
      for (const socket of this.#server.clients) socket.terminate();
      this.#server.close();
    });
    this.#server.on("connection", (socket) => {
      const send = (...frames: Frame[]) => socket.send(JSON.stringify(frames));
      const number = this.hellos.length;
      socket.on("message", (data) => {
        const frames = JSON.parse(String(data)) as Frame[];
        if (frames[0]?.type === "hello") {
          this.hellos[number] = frames;
          send(welcome(frames[0]));
          answers[Math.min(number, answers.length - 1)]?.(send, socket);
        } else this.received.push(...frames);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}

function welcome(hello: Frame): Frame {
  return {
    type: "welcome",
    version: 1,
    features: [],
    session: hello.session,
    connection: randomUUID(),
    run: "r1",
    user: "ada",
    server_time: Date.now(),
    ping_interval_ms: 1_000,
    hold_ms: 25_000,
    limits: LIMITS,
  };
}

const subscribed = (offset: number, head: number, more: object = {}): Frame => ({
  type: "subscribed",
  channel: CHANNEL,
  epoch: "a",
  offset,
  head,
  ...more,
});

const message = (offset: number): Frame => ({
  type: "message",
  channel: CHANNEL,
  offset,
  id: `0190a1b2-c3d4-7e5f-8a9b-0000000000${String(offset).padStart(2, "0")}`,
  user: "ben",
  at: 1,
  data: offset,
});

function connect(server: Scripted, options: object = {}): Third {
  const ada = Third.connect("ada", server.url, { transports: ["websocket"], speed: 10, ...options });
  ada.command({ command: "subscribe", channel: CHANNEL });
  return ada;
}

const offsets = (client: Third) => client.entries.map(({ offset }) => offset);

describe.skipIf(PYTHON === undefined)("the third client and a server that breaks the protocol", () => {
  it("a hole in the order: it resumes from its position, and delivers nothing twice", async () => {
    const server = await Scripted.start(
      (send) => send(subscribed(0, 4), message(1), message(3), message(4)),
      (send) => send(subscribed(1, 4), message(2), message(2), message(1), message(3), message(4)),
    );
    const ada = connect(server);
    await ada.waitForEntries(4);
    expect(offsets(ada)).toEqual([1, 2, 3, 4]);
    expect(ada.all("violation")).toHaveLength(1);
    expect(server.hellos[1]?.[1]).toEqual({
      type: "subscribe",
      channel: CHANNEL,
      epoch: "a",
      offset: 1,
      run: "r1",
    });
  });

  it("the same epoch behind the position: the position does not go back", async () => {
    const server = await Scripted.start((send) =>
      send(subscribed(0, 3), message(1), message(2), subscribed(0, 3), message(1), message(2), message(3)),
    );
    const ada = connect(server);
    await ada.waitForEntries(3);
    expect(offsets(ada)).toEqual([1, 2, 3]);
  });

  it("a trimmed log: the gap is reported, and the position moves over it", async () => {
    const gap = { from: 2, to: 9, reason: "trimmed" };
    const server = await Scripted.start((send, socket) => {
      const trimmed = () => send(subscribed(9, 10, { gap }), message(10));
      send(subscribed(0, 1), message(1));
      trimmed();
      // The first answer was not about the position that the client has reached: it asks again.
      socket.once("message", trimmed);
    });
    const ada = connect(server);
    await ada.waitForEntries(2);
    expect(offsets(ada)).toEqual([1, 10]);
    expect(server.received[0]).toMatchObject({ type: "subscribe", epoch: "a", offset: 1 });
    expect(ada.all("gap")).toEqual([{ event: "gap", channel: CHANNEL, ...gap }]);
  });

  it("a temporary refusal of a subscription: it is asked for again, with its position", async () => {
    const server = await Scripted.start((send, socket) => {
      const refused = { type: "unsubscribed", channel: CHANNEL, code: "unavailable", retry_after_ms: 20 };
      send(subscribed(0, 1), message(1), refused);
      socket.once("message", () => send(subscribed(1, 2), message(2)));
    });
    const ada = connect(server);
    await ada.waitForEntries(2);
    expect(server.received[0]).toMatchObject({ type: "subscribe", epoch: "a", offset: 1 });
    expect(ada.all("unsubscribed")).toEqual([]);
  });

  it("a temporary refusal of a send: all unacknowledged ones go out again, in order", async () => {
    const sends = () => server.received.filter(({ type }) => type === "send");
    const refusal = (frame: Frame | undefined, code: string): Frame => ({
      type: "error",
      code,
      message: "Not now.",
      retry: true,
      id: frame?.id,
      ...(code === "rate_limited" && { retry_after_ms: 50 }),
    });
    let acked = false;
    const server: Scripted = await Scripted.start((send, socket) => {
      socket.on("message", () => {
        const [first, second, ...again] = sends();
        if (second && again.length === 0) send(refusal(first, "rate_limited"), refusal(second, "deferred"));
        if (again.length < 2 || acked) return;
        acked = true;
        for (const [at, { id }] of again.entries())
          send({ type: "ack", id, channel: CHANNEL, offset: at + 1, at: 1 });
      });
    });
    const ada = connect(server);
    await ada.waitFor("state", { status: "connected" });
    ada.send(CHANNEL, 0, "0");
    ada.send(CHANNEL, 1, "1");
    await until("both are acknowledged", () => ada.acks.size === 2);
    expect(sends().map(({ data }) => data)).toEqual([0, 1, 0, 1]);
    expect(ada.all("failed")).toEqual([]);
  });

  it("a batch is refused, and its sends are named: they go one by one, and the one that is refused alone fails", async () => {
    const sends = () => server.received.filter(({ type }) => type === "send");
    const later: number[] = [];
    const server: Scripted = await Scripted.start((send, socket) => {
      let [seen, offset, refused] = [0, 0, false];
      socket.on("message", () => {
        const batch = sends().slice(seen);
        seen += batch.length;
        if (refused) later.push(batch.length);
        const ids = batch.map(({ id }) => id);
        if (batch.some(({ data }) => data === 1)) {
          refused = true;
          send({ type: "error", code: "too_large", message: "No.", retry: false, ids });
        } else for (const id of ids) send({ type: "ack", id, channel: CHANNEL, offset: ++offset, at: 1 });
      });
    });
    const ada = Third.connect("ada", server.url, { transports: ["websocket"], speed: 10 });
    for (const n of [0, 1, 2]) ada.send(CHANNEL, n, String(n));
    await until("both are acknowledged", () => ada.acks.size === 2);
    expect(later.every((sends) => sends === 1)).toBe(true);
    expect(ada.all("failed")).toMatchObject([{ ref: "1", code: "too_large" }]);
    expect(server.hellos).toHaveLength(1);
  });

  it("its session is taken twice in a row: it was copied, and the client takes a new one", async () => {
    const session = randomUUID();
    const server = await Scripted.start(
      (_, socket) => socket.close(4009),
      (_, socket) => socket.close(4009),
      (send) => send(subscribed(0, 0)),
    );
    const ada = connect(server, { session });
    await ada.waitFor("subscribed", {});
    const sessions = server.hellos.map(([hello]) => hello?.session);
    expect(sessions.slice(0, 2)).toEqual([session, session]);
    expect(sessions[2]).not.toBe(session);
  });

  it("silence: the connection is replaced", async () => {
    const server = await Scripted.start((send) => send(subscribed(0, 0)));
    connect(server, { speed: 1000 });
    await until("it has connected again", () => server.hellos.length > 1);
    expect(server.received).toEqual([]);
  });

  it("no ack: it asks whether the connection is alive, and replaces it without an answer", async () => {
    const server = await Scripted.start((send) => send(subscribed(0, 0)));
    const ada = connect(server, { speed: 100 });
    ada.send(CHANNEL, 0, "0");
    await until("it has connected again", () => server.hellos.length > 1);
    expect(server.received.map(({ type }) => type).slice(0, 2)).toEqual(["send", "ping"]);
    expect(ada.all("failed")).toEqual([]);
  });

  it("goaway: it waits as long as it was told", async () => {
    const server = await Scripted.start(
      (send, socket) => {
        send(subscribed(0, 0), { type: "goaway", delay_ms: 700, spread_ms: 0, reason: "restart" });
        socket.close(1001);
      },
      (send) => send(subscribed(0, 0)),
    );
    const ada = connect(server, { speed: 100 });
    const { retry_in_ms } = await ada.waitFor("state", { status: "reconnecting" });
    expect(retry_in_ms).toBeGreaterThan(500);
    await until("it has connected again", () => server.hellos.length === 2);
  });

  it("many subscriptions: the first batch is small, the others follow", async () => {
    const names = [...Array(200).keys()].map((n) => `${"long-".repeat(30)}${n}`);
    const server = await Scripted.start(() => undefined);
    const ada = Third.connect("ada", server.url, { transports: ["websocket"], speed: 10 });
    for (const channel of names) ada.command({ command: "subscribe", channel });
    const subscribes = () =>
      [...(server.hellos[0] ?? []), ...server.received].filter(({ type }) => type === "subscribe");
    await until("all are asked for", () => subscribes().length >= names.length);
    expect(JSON.stringify(server.hellos[0]).length).toBeLessThan(4096 + 1);
    expect(subscribes().map(({ channel }) => channel)).toEqual(names);
  });
});
