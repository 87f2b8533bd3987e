// A channel as the application sees it: listeners, one subscription, who is there and types, how far it was read, and what
// is sent to it. Which entries are delivered, and from where, is the core's decision; `position` only repeats what the
// core said last.

import type { Subscribed as SubscribedFrame } from "../generated/protocol.js";
import type { Core } from "../wasm/bindings.js";
import { type Deferred, defer, quiet } from "./deferred.js";
import { Emitter, type Unsubscribe } from "./emitter.js";
import { EverwireError } from "./errors.js";
import type {
  ChannelEvents,
  DefaultEvents,
  EventName,
  HistoryOptions,
  HistoryPage,
  Member,
  Message,
  MessageData,
  Position,
  Sending,
  SendOptions,
  Subscribed,
  SubscribeOptions,
  Typist,
  UserReceipt,
} from "./events.js";
import type { ChannelFrame, ChannelPort, ClientPort } from "./port.js";
import { beginSend, checkEvent, jsonOf, type Kind } from "./send.js";

// How many messages can be named by their id when they are marked as read.
const REMEMBERED = 1000;

/** A named log that can be listened to and written to. Made by `Client.channel`; the same object for the same name. */
export class Channel<Events extends object = DefaultEvents> implements ChannelPort {
  readonly name: string;
  /** @internal The core's name for the running subscription; -1 if there is none. */
  _handle = -1;
  /** @internal */
  readonly _emitter = new Emitter();
  readonly #client: ClientPort;
  #ready: Deferred<Subscribed> | undefined;
  #live = false;
  #epoch: string | undefined;
  #offset = 0;
  #members: ReadonlyMap<string, Member> = new Map();
  #list: readonly Member[] = [];
  #arriving: Partial<SubscribedFrame> | undefined;
  // Only where the server keeps them; then also the offsets by id of what came last.
  #marks: ReadonlyMap<string, UserReceipt> | undefined;
  readonly #ids = new Map<string, number>();
  #typists: readonly Typist[] = [];
  // The core's numbers for those who have typed are their places here.
  readonly #people: string[] = [];

  /** @internal */
  constructor(client: ClientPort, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** Whether entries of this channel are received. It stays `subscribed` while the connection is being replaced. */
  get subscription(): "none" | "pending" | "subscribed" {
    return this.#ready === undefined ? "none" : this.#live ? "subscribed" : "pending";
  }

  /** Who is here, for presence channels. A new array whenever that changed. */
  get members(): readonly Member[] {
    return this.#list;
  }

  /** Who else is typing now. A new array whenever that changed. */
  get typists(): readonly Typist[] {
    return this.#typists;
  }

  /**
   * How far users have received and read the channel, by user: of a chat's members, or of this user alone in other
   * channels. A new map whenever that changed; empty where the server keeps no marks.
   */
  get receipts(): ReadonlyMap<string, UserReceipt> {
    return this.#marks ?? new Map();
  }

  /** The place of the last entry that was delivered. */
  get position(): Position | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, offset: this.#offset };
  }

  /** Adds a listener. What it returns removes it again. */
  on<Name extends keyof ChannelEvents<Events> & string>(
    event: Name,
    listener: (value: ChannelEvents<Events>[Name]) => void,
  ): Unsubscribe {
    return this._emitter.on(event, listener);
  }

  /**
   * Starts to receive the channel. Add listeners first: entries that are replayed can come before the promise's
   * continuation runs. Called again, it gives the same promise, until the subscription has ended.
   */
  subscribe(options: SubscribeOptions = {}): Promise<Subscribed> {
    if (this.#ready !== undefined) return this.#ready.promise;
    const ready = defer<Subscribed>();
    this.#ready = ready;
    const { recent, position, undelivered = false } = options;
    this.#client._call(
      (core) => {
        // Unsubscribed before the core was there.
        if (this.#ready !== ready) return;
        this._handle = core.subscribe(this.name, recent, position?.epoch, position?.offset, undelivered);
        this.#client._handles.set(this._handle, this);
      },
      (error) => this._end(error),
    );
    return ready.promise;
  }

  /** @internal The same where nobody may be there to take the error: without an `error` listener, the console is told. */
  _hold(options?: SubscribeOptions): Promise<Subscribed> {
    const subscribing = this.subscribe(options);
    subscribing.catch((error: EverwireError) => {
      const wanted = error.code === "closed" || error.code === "unsubscribed";
      if (!wanted && !this._emitter.has("error")) console.warn(error);
    });
    return subscribing;
  }

  /** Stops receiving. What is being sent still goes out. */
  async unsubscribe(): Promise<void> {
    const handle = this._handle;
    if (this.#ready === undefined) return;
    this._end(
      new EverwireError("unsubscribed", "The channel was unsubscribed before it was subscribed."),
      true,
    );
    if (handle >= 0) this.#client._call((core) => core.unsubscribe(handle));
  }

  /**
   * Sends a plain message, or a reply to one. Resolves when the server has stored it; it waits for the connection for as
   * long as it takes.
   */
  send(data: MessageData<Events>, options?: SendOptions & { event?: undefined }): Sending;
  /** Sends a custom event. */
  send<Name extends EventName<Events>>(data: Events[Name], options: SendOptions & { event: Name }): Sending;
  send(data: unknown, { event, replyTo }: SendOptions & { event?: string | undefined } = {}): Sending {
    return this.#send(data, { event, action: replyTo === undefined ? undefined : "reply", target: replyTo });
  }

  /** Gives a message of one's own other data. */
  edit(id: string, data: MessageData<Events>): Sending {
    return this.#send(data, { action: "edit", target: id });
  }

  /** Takes a message back: one's own, or any as the owner of a chat. */
  delete(id: string): Sending {
    return this.#send(null, { action: "delete", target: id });
  }

  #send(data: unknown, kind: Kind): Sending {
    return beginSend(this.#client, this, data, kind);
  }

  /**
   * Sends an event that is gone when missed to those who are subscribed now, or to one connection of them. False: there is
   * no connection, and it was dropped. Throws `invalid_payload`, or `invalid_option` for a name that is none.
   */
  signal<Name extends EventName<Events>>(
    event: Name,
    data: Events[Name],
    { to }: { to?: string | undefined } = {},
  ): boolean {
    checkEvent(event);
    return this.#client._sendEphemeral({ type: "signal", channel: this.name, event, data, to });
  }

  /** Call it at every key: the others are told at the first, again while keys come, and when they stop. */
  typing(): void {
    this.#key(true);
  }

  /** What was being written was thrown away. Not needed after `send`. */
  stopTyping(): void {
    this.#key(false);
  }

  #key(key: boolean): void {
    this.#tell((core) => core.typing(this._handle, key));
  }

  /**
   * Marks everything as read up to a message (its offset, or its id if it is one of the last 1000), or all that was received.
   * Marks only rise. The server is told within a second or two.
   */
  markRead(message: string | number = this.#offset): void {
    const offset = typeof message === "string" ? this.#ids.get(message) : message;
    if (offset !== undefined) this.#tell((core) => core.mark(this._handle, -1, offset));
  }

  #tell(act: (core: Core) => void): void {
    this.#client._call((core) => this._handle >= 0 && act(core));
  }

  /** A page of the log: the entries before or after an offset, or the last ones. The subscription does not notice. */
  async history({ before, after, limit }: HistoryOptions = {}): Promise<HistoryPage> {
    return this.#client.request("history", { channel: this.name, before, after, limit });
  }

  /** @internal Who the server takes the client for. */
  get _me(): string | undefined {
    return this.#client._user;
  }

  /** @internal The core has accepted this entry. */
  _deliver(message: Message): void {
    this.#offset = message.offset;
    if (this.#marks !== undefined) {
      this.#ids.set(message.id, message.offset);
      if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.keys().next().value ?? "");
    }
    if (message.event == null) this._emitter.emit("message", message);
    else {
      this._emitter.emit("event", message);
      this._emitter.emit(`event:${message.event}`, message);
    }
  }

  /** @internal A `subscribed` frame: `counts` asks the core, which may tell of it at once or later. */
  _onSubscribedFrame(frame: SubscribedFrame, counts: () => number): boolean {
    this.#arriving = frame;
    const counted = counts();
    if (counted === 1) this.#arrive();
    this.#arriving = undefined;
    return counted === 1;
  }

  /** @internal The core says that the subscription is in place. */
  _subscribed(epoch: string, offset: number, head: number, recovered: boolean): void {
    this.#epoch = epoch;
    this.#offset = offset;
    this.#arrive();
    this.#live = true;
    const subscribed: Subscribed = { epoch, offset, head, recovered };
    this._emitter.emit("subscribed", subscribed);
    this.#ready?.resolve(subscribed);
  }

  /** @internal The subscription is over. `silent`: the application knows, so no `error` event. */
  _end(error: EverwireError, silent = false): void {
    const ready = this.#ready;
    if (ready === undefined) return;
    const running = this.#live;
    this.#client._handles.delete(this._handle);
    this._handle = -1;
    this.#ready = undefined;
    this.#live = false;
    this.#arriving = {};
    this.#arrive();
    for (const { user } of this.#typists) this.#type(user);
    const heard = this._emitter.has("error");
    if (silent || heard) quiet(ready.promise);
    ready.reject(error);
    if (silent) return;
    if (heard) this._emitter.emit("error", error);
    // The promise of a running subscription was resolved long ago: this must not go by unseen.
    else if (running) console.warn(error);
  }

  /** @internal State, and what is gone when missed: the core has said that it counts. */
  _onFrame(frame: ChannelFrame, core: Core): void {
    switch (frame.type) {
      case "member_joined": {
        const { member } = frame;
        if (!this.#members.has(member.user)) this.#meet(this.#with(member));
        break;
      }
      case "member_left":
        this.#meet(new Map([...this.#members].filter(([user]) => user !== frame.user)));
        break;
      case "status_changed": {
        const { user, status } = frame;
        const member = this.#members.get(user);
        if (member !== undefined) this.#meet(this.#with({ ...member, status }));
        break;
      }
      case "user_typing": {
        const { user, name, typing } = frame;
        if (!this.#people.includes(user)) this.#people.push(user);
        core.heard(this._handle, this.#people.indexOf(user), typing);
        this.#type(user, typing ? { user, ...(name != null && { name }) } : undefined);
        break;
      }
      case "signalled":
        this._emitter.emit("signal", frame);
        this._emitter.emit(`signal:${frame.event}`, frame);
        break;
      case "receipt": {
        const { user, delivered, read } = frame;
        this.#marks = new Map(this.#marks).set(user, { user, delivered, read });
        this._emitter.emit("receipts", this.#marks);
      }
    }
  }

  /** @internal The core has heard nothing of this typist for too long. */
  _typingExpired(typist: number): void {
    this.#type(this.#people[typist]);
  }

  #type(user: string | undefined, typist?: Typist): void {
    const rest = this.#typists.filter((other) => other.user !== user);
    if (rest.length < this.#typists.length === (typist !== undefined)) return;
    this.#typists = typist === undefined ? rest : [...rest, typist];
    this._emitter.emit("typing", this.#typists);
  }

  /**
   * What came with `subscribed` takes the place of what was known. The first members are told as a whole only; later, after
   * a reconnect, also who has come and gone in the meantime.
   */
  #arrive(): void {
    if (this.#arriving === undefined) return;
    const { receipts } = this.#arriving;
    const members = this.#arriving.members ?? [];
    this.#arriving = undefined;
    if (receipts != null) {
      this.#marks = new Map(receipts.map((mark) => [mark.user, mark]));
      this._emitter.emit("receipts", this.#marks);
    }
    this.#meet(new Map(members.map((member) => [member.user, member])), this.#live);
  }

  #with(member: Member): ReadonlyMap<string, Member> {
    return new Map(this.#members).set(member.user, member);
  }

  /** These are the members now. `live`: who came and who went is news. */
  #meet(members: ReadonlyMap<string, Member>, live = true): void {
    const before = this.#members;
    const list = [...members.values()];
    const gone = this.#list.filter((member) => !members.has(member.user));
    const news = list.filter((member) => {
      const known = before.get(member.user);
      return member !== known && jsonOf(member) !== jsonOf(known ?? null);
    });
    if (gone.length + news.length === 0) return;
    this.#members = members;
    this.#list = list;
    if (live) {
      for (const member of news) if (!before.has(member.user)) this._emitter.emit("joined", member);
      for (const member of gone) this._emitter.emit("left", member);
    }
    this._emitter.emit("members", list);
  }
}
