// A core that does what a test says. It keeps what was called on it, gives out handles, accepts what comes next in a
// channel as the real one would, and gives the test its host.

import { Client } from "../src/core/client.js";
import type { ConnectOptions } from "../src/core/events.js";
import type { Core, CoreOptions, Handle, Host } from "../src/generated/bindings.js";
import type { Limits } from "../src/generated/protocol.js";
import type { CoreClass } from "../src/wasm/create-core.js";

/** The arguments of an operation. */
type Args<Name extends keyof Core> = Parameters<Core[Name]>[0];

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
  readonly places = new Map<Handle, Place>();
  /** The requests that wait for an answer. */
  readonly asked = new Map<string, Record<string, unknown>>();
  online = true;
  /** What the next `welcome` says. */
  limits: Limits = { payload_bytes: 32_768, batch_bytes: 65_536, batch_frames: 300, subscriptions: 256 };
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
    // As create-core does it.
    this.calls.push([method, ...args.map((value) => value ?? undefined)]);
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
  confirm(channel: string, { epoch = "e", offset = 0, head = 0, recovered = true } = {}): Handle {
    const [handle, place] = [...this.places].filter(([, { channel: name }]) => name === channel).at(-1) ?? [];
    if (handle === undefined || place === undefined) throw new Error(`${channel} is not subscribed`);
    Object.assign(place, { epoch, offset });
    const gap = recovered ? undefined : { from: 1, to: offset, reason: "trimmed" };
    this.receive({ type: "subscribed", channel, epoch, offset, head, gap });
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
    const { limits } = this;
    this.receive({
      type: "welcome",
      version: 1,
      features: [],
      session: "s",
      connection,
      run: "r1",
      user,
      ...times,
      limits,
    });
    this.connected();
  }

  /** Says that it is connected. */
  connected(): void {
    this.host.state({ status: "connected", transport: "websocket", attempt: 0, reason: "welcome" });
  }

  start(): void {
    this.#called("start");
  }
  close(): void {
    this.#called("close");
    this.host.state({ status: "closed", attempt: 0, reason: "closed by the application" });
  }
  free(): void {
    this.#called("free");
    this.freed = true;
  }
  subscribe({ channel, recent, epoch, offset, run, undelivered }: Args<"subscribe">): Handle {
    const more = run === undefined ? [] : [run];
    this.#called("subscribe", channel, recent, epoch, offset, undelivered, ...more);
    const handle = ++this.#handles as Handle;
    this.places.set(handle, { channel, epoch: epoch ?? "e", offset: offset ?? 0 });
    return handle;
  }
  unsubscribe({ handle }: Args<"unsubscribe">): void {
    this.#called("unsubscribe", handle);
    this.places.delete(handle);
  }
  send({ id, channel, frame, restored, left_ago_ms }: Args<"send">): void {
    const { type, data, event, action, target, ...rest } = JSON.parse(frame);
    if (type !== "send" || rest.id !== id || rest.channel !== channel) throw new Error(`odd: ${frame}`);
    const more = action === undefined ? [] : [action, target];
    this.#called("send", id, channel, event, JSON.stringify(data), restored, ...more);
    if (left_ago_ms !== undefined) this.#called("left", id, left_ago_ms);
    this.host.sending({ id, status: "queued" });
  }
  cancel({ id }: Args<"cancel">): boolean {
    this.#called("cancel", id);
    this.host.sending({ id, status: "failed", code: "cancelled", message: "Withdrawn by the application." });
    return true;
  }
  request({ id, frame, timeout_ms }: Args<"request">): void {
    this.asked.set(id, JSON.parse(frame));
    this.#called("request", id, JSON.parse(frame), timeout_ms);
  }
  sendEphemeral({ frame }: Args<"sendEphemeral">): boolean {
    this.#called("sendEphemeral", JSON.parse(frame));
    return this.online;
  }
  sendSticky({ frame }: Args<"sendSticky">): void {
    this.#called("sendSticky", JSON.parse(frame));
  }
  answered({ id }: Args<"answered">): true | undefined {
    this.#called("answered", id);
    return this.asked.delete(id) || undefined;
  }
  typing({ handle, key }: Args<"typing">): void {
    this.#called("typing", handle, key);
  }
  userTyping({ handle, typist, typing }: Args<"userTyping">): void {
    this.#called("userTyping", handle, typist, typing);
  }
  mark({ handle, delivered, read }: Args<"mark">): void {
    this.#called("mark", handle, delivered, read);
  }
  ownReceipt({ handle, delivered, read }: Args<"ownReceipt">): void {
    this.#called("ownReceipt", handle, delivered, read);
  }
  accept(handle: Handle, offset: number): boolean {
    this.#called("accept", handle, offset);
    const place = this.places.get(handle);
    if (place === undefined || offset !== place.offset + 1) return false;
    place.offset = offset;
    return true;
  }
  live({ handle }: Args<"live">): true | undefined {
    this.#called("live", handle);
    return this.places.has(handle) || undefined;
  }
  subscribedFrame({
    handle,
    epoch,
    offset,
    head,
    gap_from,
    gap,
  }: Args<"subscribedFrame">): ReturnType<Core["subscribedFrame"]> {
    this.#called("subscribedFrame", handle, epoch, offset, head, gap_from, gap);
    const place = this.places.get(handle);
    if (place === undefined) return undefined;
    const from = gap === undefined ? undefined : place.offset + 1;
    Object.assign(place, { epoch, offset });
    return [offset, from, gap];
  }
  unsubscribedFrame(args: Args<"unsubscribedFrame">): ReturnType<Core["unsubscribedFrame"]> {
    const { handle, channel, code, retry_after_ms } = args;
    this.#called("unsubscribedFrame", handle, channel, code, retry_after_ms);
    if (code === undefined || handle === undefined) return undefined;
    if (retry_after_ms !== undefined) return "error";
    return this.places.delete(handle) ? "ended" : undefined;
  }
  welcome(args: Args<"welcome">): void {
    const { connection, run, user, ping_interval_ms, hold_ms, token_expires_in_ms } = args;
    const { payload_bytes, batch_bytes, batch_frames } = args;
    const limits = [payload_bytes, batch_bytes, batch_frames];
    this.#called("welcome", connection, run, user, ping_interval_ms, hold_ms, token_expires_in_ms, ...limits);
  }
  tokenAccepted({ expires_in_ms }: Args<"tokenAccepted">): void {
    this.#called("tokenAccepted", expires_in_ms);
  }
  polled({ seq, connection }: Args<"polled">): void {
    this.#called("polled", seq, connection);
  }
  ack({ id }: Args<"ack">): true {
    this.#called("ack", id);
    return true;
  }
  /** Set to make a refusal with an id end what has that id. */
  refusing = false;
  refused(args: Args<"refused">): ReturnType<Core["refused"]> {
    const { code, message, retry, id, retry_after_ms } = args;
    this.#called("refused", code, message, retry, id, retry_after_ms);
    return id === undefined ? "error" : this.refusing ? "failed" : undefined;
  }
  ping({ nonce }: Args<"ping">): void {
    this.#called("ping", nonce);
  }
  goaway({ delay_ms, spread_ms, reason }: Args<"goaway">): void {
    this.#called("goaway", delay_ms, spread_ms, reason);
  }
  violation({ message }: Args<"violation">): void {
    this.#called("violation", message);
  }
  pollSlot(): void {
    this.#called("pollSlot");
  }
  token({ token }: Args<"token">): void {
    this.#called("token", token);
  }
  tokenFailed({ message }: Args<"tokenFailed">): void {
    this.#called("tokenFailed", message);
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
