// A core that does what a test says. It keeps what was called on it, gives out handles, accepts what comes next in a
// channel as the real one would, and gives the test its host.

import { Client } from "../src/core/client.js";
import type { ConnectOptions } from "../src/core/events.js";
import type { Core, CoreClass, CoreOptions, Host } from "../src/wasm/bindings.js";
import { SendStatus, Status, TransportCode } from "../src/wasm/bindings.js";

type Call = readonly [method: string, ...args: unknown[]];

interface Place {
  readonly channel: string;
  epoch: string;
  offset: number;
}

export class ScriptedCore implements Core {
  readonly host: Host;
  readonly made: CoreOptions;
  readonly calls: Call[] = [];
  readonly places = new Map<number, Place>();
  /** The requests that wait for an answer. */
  readonly asked = new Map<string, Record<string, unknown>>();
  online = true;
  freed = false;
  /** Set to make the next calls of this name throw. */
  readonly throwing = new Map<string, unknown>();
  #handles = 0;

  constructor(host: Host, made: CoreOptions) {
    this.host = host;
    this.made = made;
  }

  #called(method: string, ...args: unknown[]): void {
    if (this.freed) throw new Error(`${method} was called after free`);
    this.calls.push([method, ...args]);
    if (this.throwing.has(method)) throw this.throwing.get(method);
  }

  /** The arguments of every call of `method`. */
  of(method: string): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  /** A batch as it comes from the network. */
  receive(...frames: unknown[]): void {
    this.host.batch(JSON.parse(JSON.stringify(frames)));
  }

  /** Says that the newest subscription of `channel` is in place. */
  confirm(channel: string, { epoch = "e", offset = 0, head = 0, recovered = true } = {}): number {
    const [handle, place] = [...this.places].filter(([, { channel: name }]) => name === channel).at(-1) ?? [];
    if (handle === undefined || place === undefined) throw new Error(`${channel} is not subscribed`);
    Object.assign(place, { epoch, offset });
    this.host.subscribed(handle, epoch, offset, head, Number(recovered));
    return handle;
  }

  /** Answers the last request of this type that waits, with a frame that has its id. */
  answer(type: string, frame: object): void {
    const id = [...this.asked.keys()].filter((id) => this.asked.get(id)?.type === type).at(-1);
    if (id === undefined) throw new Error(`nobody asks for ${type}`);
    this.receive({ id, ...frame });
  }

  /** Welcomes this user. */
  welcomed(user: string, connection = "c1"): void {
    const times = { server_time: 1, ping_interval_ms: 25_000, hold_ms: 25_000 };
    const limits = { payload_bytes: 1, batch_bytes: 1, batch_frames: 1, subscriptions: 1 };
    this.receive({ type: "welcome", version: 1, session: "s", connection, user, ...times, limits });
    this.connected();
  }

  /** Says that it is connected. */
  connected(): void {
    this.host.state(Status.Connected, TransportCode.WebSocket, 0, -1, undefined, "welcome");
  }

  start(): void {
    this.#called("start");
  }
  close(): void {
    this.#called("close");
    this.host.state(Status.Closed, TransportCode.None, 0, -1, undefined, "closed by the application");
  }
  free(): void {
    this.#called("free");
    this.freed = true;
  }
  subscribe(
    channel: string,
    recent: number | undefined,
    epoch: string | undefined,
    offset: number | undefined,
    undelivered: boolean,
  ): number {
    this.#called("subscribe", channel, recent, epoch, offset, undelivered);
    this.places.set(++this.#handles, { channel, epoch: epoch ?? "e", offset: offset ?? 0 });
    return this.#handles;
  }
  unsubscribe(handle: number): void {
    this.#called("unsubscribe", handle);
    this.places.delete(handle);
  }
  send(id: string, channel: string, frame: string, restored: boolean): void {
    const { type, data, event, action, target, ...rest } = JSON.parse(frame);
    if (type !== "send" || rest.id !== id || rest.channel !== channel) throw new Error(`odd: ${frame}`);
    const more = action === undefined ? [] : [action, target];
    this.#called("send", id, channel, event, JSON.stringify(data), restored, ...more);
    this.host.sending(id, SendStatus.Queued, -1, -1, undefined, undefined);
  }
  /** StoredSend as the calls `request`, `ephemeral` and `sticky`. */
  ask(text: string, timeoutMs?: number, id?: string): number {
    const frame = JSON.parse(text);
    if (id === undefined) this.#called(timeoutMs === 0 ? "ephemeral" : "sticky", frame);
    else {
      this.asked.set(id, frame);
      this.#called("request", id, frame, timeoutMs);
    }
    return Number(this.online);
  }
  answered(id: string): number {
    this.#called("answered", id);
    return Number(this.asked.delete(id));
  }
  typing(handle: number, key: boolean): void {
    this.#called("typing", handle, key);
  }
  heard(handle: number, typist: number, typing: boolean): void {
    this.#called("heard", handle, typist, typing);
  }
  mark(handle: number, delivered: number, read: number): void {
    this.#called("mark", handle, delivered, read);
  }
  marked(handle: number, delivered: number, read: number): void {
    this.#called("marked", handle, delivered, read);
  }
  accept(handle: number, offset: number): boolean {
    this.#called("accept", handle, offset);
    const place = this.places.get(handle);
    if (place === undefined || offset !== place.offset + 1) return false;
    place.offset = offset;
    return true;
  }
  live(handle: number): number {
    this.#called("live", handle);
    return Number(this.places.has(handle));
  }
  subscribed(
    handle: number,
    epoch: string,
    offset: number,
    head: number,
    gapFrom: number | undefined,
    gap: string | undefined,
  ): number {
    this.#called("subscribed", handle, epoch, offset, head, gapFrom, gap);
    const place = this.places.get(handle);
    if (place === undefined) return 0;
    if (gap !== undefined) this.host.gap(handle, place.offset + 1, offset, gap);
    Object.assign(place, { epoch, offset });
    this.host.subscribed(handle, epoch, offset, head, Number(gap === undefined));
    return 1;
  }
  unsubscribed(...args: unknown[]): void {
    this.#called("unsubscribed", ...args);
  }
  welcome(...args: unknown[]): void {
    this.#called("welcome", ...args);
  }
  polled(seq: number): void {
    this.#called("polled", seq);
  }
  ack(id: string, offset: number, at: number): void {
    this.#called("ack", id, offset, at);
    this.host.sending(id, SendStatus.Stored, offset, at, undefined, undefined);
  }
  /** Set to make a refusal with an id end what has that id. */
  refusing = false;
  refused(code: string, message: string, retry: boolean, id: string | undefined, ...rest: unknown[]): void {
    this.#called("refused", code, message, retry, id, ...rest);
    if (this.refusing && id !== undefined) {
      this.host.sending(id, SendStatus.Failed, -1, -1, code, message);
    }
  }
  ping(nonce: number): void {
    this.#called("ping", nonce);
  }
  goaway(...args: unknown[]): void {
    this.#called("goaway", ...args);
  }
  violation(message: string): void {
    this.#called("violation", message);
  }
  token(token: string): void {
    this.#called("token", token);
  }
  token_failed(message: string): void {
    this.#called("token_failed", message);
  }
  report(): string {
    this.#called("report");
    return "the core's journal";
  }
}

/** A client over scripted cores: `load` decides when the core is there. */
export function scripted(
  options: Partial<ConnectOptions> = {},
  load: () => Promise<unknown> = () => Promise.resolve(),
): { client: Client; core: () => ScriptedCore; loaded: () => Promise<ScriptedCore> } {
  let made: ScriptedCore | undefined;
  let arrived: (core: ScriptedCore) => void;
  const arrival = new Promise<ScriptedCore>((resolve) => {
    arrived = resolve;
  });
  class Scripted extends ScriptedCore {
    constructor(host: Host, options: CoreOptions) {
      super(host, options);
      made = this;
    }
    override start(): void {
      super.start();
      arrived(this);
    }
  }
  const client = new Client({ url: "https://chat.example", ...options }, () =>
    load().then(() => Scripted as unknown as CoreClass),
  );
  return {
    client,
    core: () => {
      if (made === undefined) throw new Error("the core has not been made");
      return made;
    },
    loaded: () => arrival,
  };
}

/** A client that runs, unless `wait` is false, and its core. */
export async function running(options: Partial<ConnectOptions> = {}, wait = true) {
  const made = scripted(options);
  made.client._start();
  if (wait) await made.loaded();
  return {
    client: made.client,
    loaded: made.loaded,
    get core() {
      return made.core();
    },
  };
}

/** A `message` frame. */
export function message(channel: string, offset: number, data: unknown = offset, more: object = {}): object {
  return {
    type: "message",
    channel,
    offset,
    id: `id-${offset}`,
    user: "u2",
    at: 1000 + offset,
    data,
    ...more,
  };
}
