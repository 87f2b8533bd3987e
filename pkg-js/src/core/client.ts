// The public client. It loads the WebAssembly core, passes calls to it in order, and reports to the application what the
// core says. All decisions about the network are the core's.

import {
  BACKOFF_BASE_MS,
  BACKOFF_CAP_MS,
  BACKOFF_FIRST_MS,
  BACKOFF_LEAST_MS,
  type Core,
  type Handle,
  type Host,
  OUTBOX_BYTES,
  OUTBOX_MESSAGES,
} from "../generated/bindings.js";
import { MAX_PAYLOAD_BYTES, MAX_SUBSCRIPTIONS, type ServerFrame } from "../generated/protocol.js";
import type { CoreClass } from "../wasm/create-core.js";
import { Channel } from "./channel.js";
import { defer, quiet } from "./deferred.js";
import { dispatch } from "./dispatch.js";
import { EarlyStart } from "./early-start.js";
import { Emitter, report, type Unsubscribe } from "./emitter.js";
import { asError, EverwireError } from "./errors.js";
import type {
  ClientEvents,
  ConnectionState,
  ConnectOptions,
  DefaultEvents,
  StatusChoice,
  UserStatus,
} from "./events.js";
import { detectIdle } from "./idle-detector.js";
import { uuid7 } from "./ids.js";
import { checkOptions, checkWhole, type Settings } from "./options.js";
import { OutboxStorage } from "./outbox-storage.js";
import { PollSlot } from "./poll-slots.js";
import type { ChannelPort, ClientPort, SizeLimits, Track } from "./port.js";
import type { AnswerTo, RequestFields, RequestOptions, RequestType } from "./requests.js";
import { beginSend, jsonOf } from "./send.js";
import { toUserStatus } from "./user-status.js";

// `private-` and `presence-` alone are no names. The core and the server check it too.
const CHANNEL_NAME = /^(?!(private-|presence-)$)[\w\-=@,.;:]{1,200}$/;

/** A connection to a server. Created by `connect`. */
export class Client implements ClientPort {
  /** The id of this client, across reconnects and transports. */
  readonly session: string = uuid7();
  /** @internal */
  readonly _emitter = new Emitter();
  /** @internal */
  readonly _channels = new Map<string, Channel<object>>();
  /** @internal */
  readonly _handles = new Map<Handle, ChannelPort>();
  /** @internal */
  readonly _sends = new Map<string, Track>();
  /** @internal Keeps unsent messages beyond the page, unless disabled. */
  _outbox: OutboxStorage | undefined;
  /** @internal */
  _user: string | undefined;
  /** @internal */
  _connection: string | undefined;
  /** @internal */
  _limits: SizeLimits = { payload_bytes: MAX_PAYLOAD_BYTES, subscriptions: MAX_SUBSCRIPTIONS };
  /** @internal */
  _run: string | undefined;
  readonly #signedIn = defer<string>();
  /** @internal Settles once the user is known, or never will be. */
  readonly _signedIn: Promise<string> = this.#signedIn.promise;
  readonly #options: ConnectOptions;
  readonly #load: () => Promise<CoreClass>;
  #state: ConnectionState = { status: "connecting", attempt: 0, reason: "starting" };
  #started = false;
  #core: Core | undefined;
  #early: EarlyStart | undefined;
  #waiting: (() => void)[] = [];
  #waitingSends = 0;
  #waitingLength = 0;
  #lastReport = "The core was not loaded.";
  #wake: (() => void) | undefined;
  #restored = false;
  #keeping = false;
  #unwatch: (() => void) | undefined;

  /** @internal Does nothing yet: `_start` does. */
  constructor(options: ConnectOptions, load: () => Promise<CoreClass>) {
    this.#options = options;
    this.#load = load;
    quiet(this._signedIn);
  }

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** The user as the server knows it; undefined before the first connection. */
  get user(): string | undefined {
    return this._user;
  }

  /** The id of the current connection, for `signal` to it; undefined while disconnected. */
  get connection(): string | undefined {
    return this.#state.status === "connected" ? this._connection : undefined;
  }

  /** Sets the user's status for all devices until it is changed; `auto`: by the user's activity. */
  async setStatus(status: StatusChoice): Promise<void> {
    await this.request("set_status", { status });
  }

  /** Returns the status of at most 100 users. */
  async getStatus(users: readonly string[]): Promise<readonly UserStatus[]> {
    return (await this.request("get_status", { users: [...users] })).statuses.map(toUserStatus);
  }

  /**
   * Sends a request; all other methods that query the server use this one. Rejects with the server's error, with
   * `timeout`, or with `closed`.
   */
  async request<Type extends RequestType>(
    type: Type,
    fields: RequestFields<Type>,
    { timeout = 10_000 }: RequestOptions = {},
  ): Promise<AnswerTo<Type>> {
    checkWhole("timeout", timeout, 1);
    const id = uuid7();
    const frame = jsonOf({ ...fields, type, id });
    const { promise, resolve, reject } = defer<AnswerTo<Type>>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle: Track = ({ error, answer }) => {
      clearTimeout(timer);
      this._sends.delete(id);
      if (error === undefined) resolve(answer as unknown as AnswerTo<Type>);
      else reject(error);
    };
    this._sends.set(id, settle);
    const until = performance.now() + timeout;
    // The core may never be loaded.
    if (this.#core === undefined)
      timer = setTimeout(() => settle({ status: "failed", error: new EverwireError("timeout") }), timeout);
    this._call(
      (core) => {
        clearTimeout(timer);
        const left = Math.ceil(until - performance.now());
        if (this._sends.has(id)) core.request({ id, frame, timeout_ms: Math.max(1, left) });
      },
      (error) => settle({ status: "failed", error }),
    );
    return promise;
  }

  /** Adds a listener. Returns a function that removes it. */
  on<Name extends keyof ClientEvents>(
    event: Name,
    listener: (value: ClientEvents[Name]) => void,
  ): Unsubscribe {
    return this._emitter.on(event, listener);
  }

  /** The channel with this name: always the same object. Throws `invalid_channel`. */
  channel<Events extends object = DefaultEvents>(name: string): Channel<Events> {
    let channel = this._channels.get(name);
    if (channel === undefined) {
      if (typeof name !== "string" || !CHANNEL_NAME.test(name)) {
        throw new EverwireError("invalid_channel", `Invalid channel name: ${JSON.stringify(name)}.`);
      }
      channel = new Channel<object>(this, name);
      this._channels.set(name, channel);
      this._emitter.emit("channel", channel);
    }
    return channel as unknown as Channel<Events>;
  }

  /** The last frames (redacted) and state changes as text, for a bug report. */
  report(): string {
    const head = `session ${this.session}, state ${JSON.stringify(this.#state)}\n`;
    return head + (this.#core?.report() ?? this.#lastReport);
  }

  /**
   * Closes the client for good. Everything pending is rejected with `closed`, and unsent messages are discarded. May be called
   * again.
   */
  async close(): Promise<void> {
    if (this.#state.status === "closed") return;
    this.#guard(() => this.#core?.close());
    this.#finish("closed by the application");
  }

  /** @internal Closes the client, and leaves unsent messages to the next client of the same user. */
  _release(): void {
    this.#keeping = true;
    void this.close();
  }

  /** @internal Calls back with every frame that is not, or not only, about one channel. */
  _onFrame(listener: (frame: ServerFrame) => void): Unsubscribe {
    return this._emitter.on("frame", listener);
  }

  /** @internal Calls back with every existing and every future channel. */
  _onChannel(listener: (channel: Channel<object>) => void): Unsubscribe {
    this._channels.forEach(listener);
    return this._emitter.on("channel", listener);
  }

  /** @internal Starts connecting; throws `invalid_option`. */
  _start(): this {
    if (!this.#started) {
      const settings = checkOptions(this.#options);
      this.#started = true;
      if (this.#options.persist !== false)
        this._outbox = new OutboxStorage(settings.url, settings.guest?.user);
      this.#unwatch = detectIdle(this.#options.idleAfter, (idle) =>
        this._call((core) => core.sendSticky({ frame: jsonOf({ type: "idle", idle }) })),
      );
      this.#early = new EarlyStart(settings, this.#options.token);
      void this.#fetchCore(settings, this.#early);
    }
    return this;
  }

  /** @internal Calls the core now, or once it is loaded; `refuse` gets the error if that fails. `length` only for sends. */
  _call(act: (core: Core) => void, refuse?: (error: EverwireError) => void, length?: number): void {
    const core = this.#core;
    if (this.#state.status === "closed") {
      refuse?.(new EverwireError("closed"));
    } else if (core !== undefined) {
      this.#guard(() => {
        try {
          act(core);
        } catch (cause) {
          if (refuse === undefined) throw cause;
          refuse(asError(cause));
        }
      });
    } else {
      if (length !== undefined) {
        if (this.#waitingSends >= OUTBOX_MESSAGES || this.#waitingLength + length > OUTBOX_BYTES) {
          refuse?.(new EverwireError("queue_full"));
          return;
        }
        this.#waitingSends++;
        this.#waitingLength += length;
      }
      this.#waiting.push(() => this._call(act, refuse));
    }
  }

  /** @internal Withdraws a send unless it is on its way. */
  _cancel(id: string, track: Track): void {
    const core = this.#core;
    if (core === undefined) track({ status: "failed", error: new EverwireError("cancelled") });
    else this.#guard(() => core.cancel({ id }));
  }

  /** @internal Sends a frame if there is a connection, and returns whether. Throws `invalid_payload` or `too_large`. */
  _sendEphemeral(content: object): boolean {
    const frame = jsonOf(content);
    let sent = false;
    const refused: EverwireError[] = [];
    if (this.#state.status !== "connected") return false;
    this._call(
      (core) => {
        sent = core.sendEphemeral({ frame });
      },
      (error) => void refused.push(error),
    );
    // Above the rate limit they are dropped, as without a connection.
    for (const error of refused) if (!error.retry) throw error;
    return sent;
  }

  async #fetchCore(settings: Settings, early: EarlyStart): Promise<void> {
    for (let attempt = 1; this.#state.status !== "closed"; attempt++) {
      let Core: CoreClass;
      try {
        Core = await this.#load();
      } catch (cause) {
        const { message } = asError(cause);
        if (isPermanent(cause)) this.#refuse(message);
        else await this.#again(attempt, message);
        continue;
      }
      this.#begin(Core, settings, early);
      return;
    }
  }

  /** This page will never have the core. */
  #refuse(why: string): void {
    const error = new EverwireError(
      "load_failed",
      `This page cannot use WebAssembly: ${why}. The Content-Security-Policy needs script-src 'wasm-unsafe-eval', and the browser WebAssembly.`,
    );
    this._emitError(error);
    this.#finish(error.message, error);
  }

  /** Waits before the next attempt to load, with the backoff of docs/protocol.md, section 9.3, or until `online`. */
  async #again(attempt: number, why: string): Promise<void> {
    if (this.#state.status === "closed") return;
    const error = new EverwireError(
      "load_failed",
      `Failed to load the WebAssembly module: ${why}. Check the network and the Content-Security-Policy.`,
    );
    const first = attempt === 1;
    const least = first ? 0 : BACKOFF_LEAST_MS;
    // `attempt` counts from 1, the core's failures in a row from 0.
    const most = first ? BACKOFF_FIRST_MS : Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1));
    const wait = least + Math.random() * (most - least);
    this.#setState({ status: "waiting", attempt, retryAt: Date.now() + wait, reason: error.message });
    this._emitError(error);
    await new Promise<void>((resolve) => {
      const again = () => {
        clearTimeout(timer);
        globalThis.removeEventListener?.("online", again);
        resolve();
      };
      const timer = setTimeout(again, wait);
      globalThis.addEventListener?.("online", again);
      this.#wake = again;
    });
    this.#setState({ status: "connecting", attempt: attempt + 1, reason: "loading again" });
  }

  #begin(Core: CoreClass, settings: Settings, early: EarlyStart): void {
    if (this.#state.status === "closed") return;
    this.#guard(() => {
      const { token } = this.#options;
      const slot = new PollSlot(settings.url, () => this._call((core) => core.pollSlot()));
      const core = new Core(this.#host(early, slot, mixedContent(settings.url)), {
        url: settings.url,
        session: this.session,
        guest_user: settings.guest?.user,
        guest_name: settings.guest?.name,
        tokens: token === undefined ? 0 : typeof token === "string" ? 1 : 2,
        websocket: settings.websocket,
        polling: settings.polling,
        debug: Boolean(this.#options.debug),
        hidden: globalThis.document?.hidden === true,
        online: globalThis.navigator?.onLine !== false,
      });
      this.#core = core;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const act of waiting) act();
      // Last, so that the first batch contains everything.
      core.start();
    });
  }

  #host(early: EarlyStart, slot: PollSlot, mixed: string): Host {
    return {
      batch: (frames) => this.#guard(() => this.#core && dispatch(frames, this.#core, this)),
      socket: () => early.socket(),
      state: ({ status, transport = "websocket", attempt, retry_in_ms = 0, code, reason }) => {
        switch (status) {
          case "connecting":
            return this.#setState({ status, attempt, reason });
          case "connected":
            this.#setState({ status, transport, reason });
            if (this._user !== undefined) this.#signedIn.resolve(this._user);
            return void this.#restore();
          case "waiting":
            return this.#setState({
              status,
              attempt,
              retryAt: Date.now() + retry_in_ms,
              reason: reason + mixed,
            });
          case "offline":
            return this.#setState({ status, reason });
          case "closed":
            this.#finish(reason, code ? new EverwireError(code, reason) : undefined);
        }
      },
      sending: ({ id, status, code, message }) =>
        this._sends.get(id)?.({ status, ...(code && { error: new EverwireError(code, message) }) }),
      typingExpired: ({ handle, typist }) => this._handles.get(handle)?._typingExpired(typist),
      broken: (cause) => this.#break(cause),
      pollSlot: ({ wanted }) => slot.want(wanted === 1),
      fetchToken: () => void this.#fetchToken(early),
      error: ({ code, message }) => this._emitError(new EverwireError(code, message)),
      log: ({ line }) => {
        const { debug } = this.#options;
        try {
          if (typeof debug === "function") debug(line);
          else console.debug(line);
        } catch (error) {
          report(error);
        }
      },
    };
  }

  /** Restores, once, what this user wrote on an earlier page. */
  async #restore(): Promise<void> {
    if (this.#restored || this._outbox === undefined || this._user === undefined) return;
    this.#restored = true;
    for (const stored of await this._outbox.signedIn(this._user)) {
      if (this._sends.has(stored.id)) continue;
      try {
        const { channel, data, event, action, target } = JSON.parse(stored.frame);
        quiet(beginSend(this, this.channel(channel), data, { event, action, target }, stored));
      } catch {
        // Written by a version with another format.
        this._outbox?.delete(stored.id);
      }
    }
  }

  async #fetchToken(early: EarlyStart): Promise<void> {
    try {
      const token = await early.token();
      if (typeof token !== "string") throw new TypeError("it did not give a string");
      this._call((core) => core.token({ token }));
    } catch (cause) {
      this._call((core) => core.tokenFailed({ message: asError(cause).message }));
    }
  }

  #setState(state: ConnectionState): void {
    if (this.#state.status === "closed") return;
    this.#state = state;
    this._emitter.emit("state", state);
  }

  /** @internal An error that is neither a state nor about one subscription or send. */
  _emitError(error: EverwireError): void {
    if (this._emitter.has("error")) this._emitter.emit("error", error);
    else console.warn(error);
  }

  /** Ends the client, whatever the reason; once. Only the application's own word discards what the user wrote. */
  #finish(reason: string, error?: EverwireError): void {
    if (this.#state.status === "closed") return;
    const why = error ?? new EverwireError("closed");
    this.#wake?.();
    this.#unwatch?.();
    this.#early?.close();
    this.#waiting = [];
    this.#signedIn.reject(why);
    // Emitted once everything is in its final state: a listener may look at all of it.
    const state: ConnectionState = { status: "closed", reason, ...(error !== undefined && { error }) };
    this.#state = state;
    const kept = this.#keeping || error !== undefined;
    for (const track of [...this._sends.values()]) track({ status: "failed", error: why, kept });
    for (const channel of this._channels.values()) channel._end(why, true);
    this._outbox?.close();
    this._outbox = undefined;
    this._emitter.emit("state", state);
    // The core may be the caller: it is freed after it has returned.
    queueMicrotask(() => {
      const core = this.#core;
      this.#core = undefined;
      if (core === undefined) return;
      try {
        this.#lastReport = core.report();
        core.free();
      } catch {
        // It has trapped before: its memory cannot be freed.
      }
    });
  }

  /** Calls the core. If it traps, which is a bug, the client closes with an error instead of hanging. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#break(cause);
    }
  }

  #break(cause: unknown): void {
    const error = asError(cause);
    this.#finish(`the core failed: ${error.message}`, error);
  }
}

/** What to add to the reasons of failures: browsers say little about what they block, or nothing. */
function mixedContent(url: string): string {
  const blocked =
    globalThis.location?.protocol === "https:" && /^http:(?!\/\/(localhost|127\.|\[::1\]))/.test(url);
  return blocked ? ". Browsers block http from this https page: give the server an https URL" : "";
}

/** Whether the engine or the page's policy forbids the core, so that no later attempt can succeed. */
function isPermanent(cause: unknown): boolean {
  if (typeof WebAssembly === "undefined") return true;
  const kinds = [WebAssembly.CompileError, WebAssembly.LinkError, EvalError];
  return kinds.some((kind) => cause instanceof kind);
}
