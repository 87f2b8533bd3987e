// The public channel: listeners, the subscription, members, typists, receipts and sends. The core decides which entries are
// delivered, and from which position; `position` only repeats what the core reported last.

import type { Core, GapReason, Handle } from "../generated/bindings.js";
import type { Subscribed as SubscribedFrame } from "../generated/protocol.js";
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
import { checkWhole } from "./options.js";
import { loadPages } from "./pages.js";
import type { ChannelFrame, ChannelPort, ClientPort } from "./port.js";
import type { AnswerTo } from "./requests.js";
import { beginSend, checkEvent, checkSize, jsonOf, type Kind } from "./send.js";

// How many of the latest messages can be marked as read by their id.
const REMEMBERED = 1000;

type MemberFrame = Extract<ChannelFrame, { type: "member_joined" | "member_left" | "status_changed" }>;

/** A named log to subscribe and send to. Created by `Client.channel`, which returns the same object for the same name. */
export class Channel<Events extends object = DefaultEvents> implements ChannelPort {
  readonly name: string;
  /** @internal The core's handle of the active subscription. */
  _handle: Handle | undefined;
  /** @internal */
  readonly _emitter = new Emitter();
  readonly #client: ClientPort;
  #ready: Deferred<Subscribed> | undefined;
  /** Whether the application has subscribed, and how many components and lists have. */
  #own = false;
  #shares = 0;
  #live = false;
  #epoch: string | undefined;
  #offset = 0;
  #run: string | undefined;
  #members: ReadonlyMap<string, Member> = new Map();
  #list: readonly Member[] = [];
  #complete = false;
  /** The members in the pages of the last `subscribed` so far: those whom none of them has are gone. */
  #load = new Map<string, Member>();
  /** What was told since the page before: the one that is on its way may be older. */
  #since: MemberFrame[] = [];
  // Only where the server keeps marks; then also the offsets of the latest messages by id.
  #marks: ReadonlyMap<string, UserReceipt> | undefined;
  readonly #ids = new Map<string, number>();
  #typists: readonly Typist[] = [];
  // The core refers to typists by their index here.
  readonly #people: string[] = [];

  /** @internal */
  constructor(client: ClientPort, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** Whether this channel is subscribed. It stays `subscribed` while the client reconnects. */
  get subscription(): "none" | "pending" | "subscribed" {
    return this.#ready === undefined ? "none" : this.#live ? "subscribed" : "pending";
  }

  /** The members of a presence channel. A new array after every change. */
  get members(): readonly Member[] {
    return this.#list;
  }

  /** Whether `members` are all of them. A long list arrives in pages, each of which is a change. */
  get membersComplete(): boolean {
    return this.#complete;
  }

  /** The other users who are typing. A new array after every change. */
  get typists(): readonly Typist[] {
    return this.#typists;
  }

  /**
   * How far users have received and read the channel, by user: for the members of a chat, or for this user only in other
   * channels. A new map after every change; empty where the server keeps no marks.
   */
  get receipts(): ReadonlyMap<string, UserReceipt> {
    return this.#marks ?? new Map();
  }

  /** The position of the last delivered entry. */
  get position(): Position | undefined {
    return this.#epoch === undefined
      ? undefined
      : { epoch: this.#epoch, offset: this.#offset, run: this.#run };
  }

  /** Adds a listener. Returns a function that removes it. */
  on<Name extends keyof ChannelEvents<Events> & string>(
    event: Name,
    listener: (value: ChannelEvents<Events>[Name]) => void,
  ): Unsubscribe {
    return this._emitter.on(event, listener);
  }

  /**
   * Subscribes to the channel. Add listeners first: replayed entries can arrive before the promise's continuation runs.
   * Further calls return the same promise until the subscription ends.
   */
  subscribe(options?: SubscribeOptions): Promise<Subscribed> {
    const subscribing = this.#subscribe(options);
    this.#own = this.#ready !== undefined;
    return subscribing;
  }

  #subscribe({ recent, position, undelivered = false }: SubscribeOptions = {}): Promise<Subscribed> {
    if (this.#ready !== undefined) return this.#ready.promise;
    try {
      checkWhole("recent", recent, 0);
      checkWhole("position.offset", position?.offset, 0, Number.MAX_SAFE_INTEGER);
    } catch (error) {
      return Promise.reject(error);
    }
    const ready = defer<Subscribed>();
    this.#ready = ready;
    this.#client._call(
      (core) => {
        // Unsubscribed before the core was loaded.
        if (this.#ready !== ready) return;
        const { _handles, _limits } = this.#client;
        if (_handles.size >= _limits.subscriptions) throw new EverwireError("too_many_subscriptions");
        const { name: channel } = this;
        this._handle = core.subscribe({ ...position, channel, recent, undelivered });
        _handles.set(this._handle, this);
      },
      (error) => this._end(error),
    );
    return ready.promise;
  }

  /** @internal Subscribes for a component or a list, until `_release`. `again`: it has not released its share before. */
  _share(options?: SubscribeOptions, again = false): Promise<Subscribed> {
    if (!again) this.#shares++;
    return this.#subscribe(options);
  }

  /** @internal A component or list no longer needs the subscription. It ends when the last of them and the application have released it. */
  _release(): void {
    this.#shares--;
    this.#leave();
  }

  /** @internal Without an `error` listener, an error is logged to the console. */
  _warn(subscribing: Promise<Subscribed>): Promise<Subscribed> {
    subscribing.catch((error: EverwireError) => {
      const wanted = error.code === "closed" || error.code === "unsubscribed";
      if (!wanted && !this._emitter.has("error")) console.warn(error);
    });
    return subscribing;
  }

  /** Unsubscribes, unless components or lists need the subscription too. Pending sends still go out. */
  async unsubscribe(): Promise<void> {
    this.#own = false;
    this.#leave();
  }

  #leave(): void {
    const handle = this._handle;
    if (this.#ready === undefined || this.#own || this.#shares > 0) return;
    this._end(new EverwireError("unsubscribed"), true);
    if (handle !== undefined) this.#client._call((core) => core.unsubscribe({ handle }));
  }

  /**
   * Sends a plain message, or a reply to one. Resolves once the server has stored it. Waits for a connection without a
   * timeout.
   */
  send(data: MessageData<Events>, options?: SendOptions & { event?: undefined }): Sending;
  /** Sends a custom event. */
  send<Name extends EventName<Events>>(data: Events[Name], options: SendOptions & { event: Name }): Sending;
  send(data: unknown, { event, replyTo }: SendOptions & { event?: string | undefined } = {}): Sending {
    return this.#send(data, { event, action: replyTo === undefined ? undefined : "reply", target: replyTo });
  }

  /** Replaces the data of one of the user's own messages. */
  edit(id: string, data: MessageData<Events>): Sending {
    return this.#send(data, { action: "edit", target: id });
  }

  /** Deletes one of the user's own messages, or any message as an owner of the chat. */
  delete(id: string): Sending {
    return this.#send(null, { action: "delete", target: id });
  }

  #send(data: unknown, kind: Kind): Sending {
    return beginSend(this.#client, this, data, kind);
  }

  /**
   * Sends an ephemeral event to the current subscribers, or to one of their connections. Returns false if it was dropped
   * because there is no connection. Throws `invalid_payload`, `too_large`, or `invalid_option` for an invalid name.
   */
  signal<Name extends EventName<Events>>(
    event: Name,
    data: Events[Name],
    { to }: { to?: string | undefined } = {},
  ): boolean {
    checkEvent(event);
    checkSize(this.#client, data, jsonOf(data));
    return this.#client._sendEphemeral({ type: "signal", channel: this.name, event, data, to });
  }

  /** Call this on every keystroke: other users see the user typing until the keystrokes stop. */
  typing(): void {
    this.#key(true);
  }

  /** Call this when a draft is discarded. Not needed after `send`. */
  stopTyping(): void {
    this.#key(false);
  }

  #key(key: boolean): void {
    this.#tell((core, handle) => core.typing({ handle, key }));
  }

  /**
   * Marks everything up to a message as read (by its offset, or by its id if it is one of the latest 1000), or everything
   * received. Marks only rise. They are sent within a second or two.
   */
  markRead(message: string | number = this.#offset): void {
    const read = typeof message === "string" ? this.#ids.get(message) : message;
    if (read !== undefined) this.#tell((core, handle) => core.mark({ handle, read }));
  }

  #tell(act: (core: Core, handle: Handle) => void): void {
    this.#client._call((core) => this._handle !== undefined && act(core, this._handle));
  }

  /** Returns a page of the log: entries before or after an offset, or the latest. Does not affect the subscription. */
  async history({ before, after, limit }: HistoryOptions = {}): Promise<HistoryPage> {
    return this.#client.request("history", { channel: this.name, before, after, limit });
  }

  /** @internal The user as the server knows it. */
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

  /** @internal The core has accepted a `subscribed` frame: the subscription continues at `offset`. `from`: of a gap. */
  _onSubscribed(frame: SubscribedFrame, offset: number, from?: number, reason?: GapReason): void {
    const handle = this._handle;
    const { epoch, head } = frame;
    const recovered = from === undefined;
    this.#epoch = epoch;
    this.#offset = offset;
    this.#run = this.#client._run;
    if (!recovered) this._emitter.emit("gap", { from, to: offset, reason });
    // A listener may have ended the subscription.
    if (this._handle !== handle) return;
    this.#arrive(frame);
    this.#live = true;
    const subscribed: Subscribed = { epoch, offset, head, recovered };
    this._emitter.emit("subscribed", subscribed);
    this.#ready?.resolve(subscribed);
  }

  /** @internal The subscription has ended. `silent`: the application ended it, so there is no `error` event. */
  _end(error: EverwireError, silent = false): void {
    const ready = this.#ready;
    if (ready === undefined) return;
    const running = this.#live;
    if (this._handle !== undefined) this.#client._handles.delete(this._handle);
    this._handle = undefined;
    this.#ready = undefined;
    this.#own = false;
    this.#live = false;
    this.#arrive({});
    this.#complete = false;
    for (const { user } of this.#typists) this.#type(user);
    const heard = this._emitter.has("error");
    if (silent || heard) quiet(ready.promise);
    ready.reject(error);
    if (silent) return;
    if (heard) this._emitter.emit("error", error);
    // The promise of an active subscription was resolved long ago: the error must not go unnoticed.
    else if (running) console.warn(error);
  }

  /** @internal State and ephemeral events that the core has accepted. */
  _onFrame(frame: ChannelFrame, core: Core): void {
    switch (frame.type) {
      case "member_joined":
      case "member_left":
      case "status_changed": {
        if (!this.#complete) {
          this.#since.push(frame);
          this.#apply(this.#load, frame);
        }
        this.#meet(this.#apply(new Map(this.#members), frame));
        break;
      }
      case "user_typing": {
        const { user, name, typing } = frame;
        if (!this.#people.includes(user)) this.#people.push(user);
        const handle = this._handle as Handle;
        core.userTyping({ handle, typist: this.#people.indexOf(user), typing });
        this.#type(user, typing ? { user, ...(name != null && { name }) } : undefined);
        break;
      }
      case "signalled":
        this._emitter.emit("signal", frame);
        this._emitter.emit(`signal:${frame.event}`, frame);
        break;
      case "receipt": {
        const { user, delivered, read } = frame;
        this.#mark(this.receipts.values(), [{ user, delivered, read }]);
        break;
      }
      default:
        // For the list of chats: any other type is an error here.
        frame satisfies { type: "activity" | "chat_changed" | "chat_gone" };
    }
  }

  /** @internal The core reports that this typing indicator has expired. */
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
   * Replaces the state by that of `subscribed`, and loads what is not in it. The first time only the list of members is emitted;
   * after a reconnect, also the joins and leaves in the meantime.
   */
  #arrive({ receipts, members = [], members_next, receipts_next }: Partial<SubscribedFrame>): void {
    const { name: channel } = this;
    const live = this.#live;
    const load = new Map<string, Member>();
    this.#load = load;
    this.#since = [];
    const rest = <Type extends "list_members" | "list_receipts">(
      type: Type,
      take: (page: AnswerTo<Type>) => void,
      after: string | undefined,
    ) => {
      const request = (after?: string) => this.#client.request<Type>(type, { channel, after } as never);
      if (after != null) void loadPages(this.#client, request, take, () => this.#load === load, after);
    };
    if (receipts != null) {
      this.#mark(receipts);
      // Those that are known by then are newer.
      rest("list_receipts", (page) => this.#mark(page.receipts, this.receipts.values()), receipts_next);
    }
    this.#meetPage(members ?? [], members_next, live);
    rest("list_members", ({ members, next }) => this.#meetPage(members, next, live, true), members_next);
  }

  #mark(...marks: Iterable<UserReceipt>[]): void {
    this.#marks = new Map(marks.flatMap((some) => [...some].map((mark) => [mark.user, mark])));
    this._emitter.emit("receipts", this.#marks);
  }

  /** A page of the members. Those who are in none of the pages are no longer present, once the last has arrived. */
  #meetPage(page: readonly Member[], next: string | null | undefined, live: boolean, later?: true): void {
    const load = this.#load;
    for (const member of page) load.set(member.user, member);
    for (const frame of this.#since.splice(0)) this.#apply(load, frame);
    this.#complete = next == null;
    this.#meet(this.#complete ? load : new Map([...this.#members, ...load]), live, later && this.#complete);
  }

  #apply(members: Map<string, Member>, frame: MemberFrame): Map<string, Member> {
    // Of a listed user: the name has changed.
    if (frame.type === "member_joined") members.set(frame.member.user, frame.member);
    else if (frame.type === "member_left") members.delete(frame.user);
    else {
      const { user, status, name } = frame;
      const member = members.get(user);
      if (member !== undefined) members.set(user, { ...member, status, ...(name != null && { name }) });
    }
    return members;
  }

  /** Sets the members. `live`: joins and leaves are emitted. `anew`: the list is emitted even if it is the same. */
  #meet(members: ReadonlyMap<string, Member>, live = true, anew = false): void {
    const before = this.#members;
    const list = [...members.values()];
    const gone = this.#list.filter((member) => !members.has(member.user));
    const news = list.filter((member) => {
      const known = before.get(member.user);
      return member !== known && jsonOf(member) !== jsonOf(known ?? null);
    });
    if (gone.length + news.length === 0 && !anew) return;
    this.#members = members;
    this.#list = list;
    if (live) {
      for (const member of news) if (!before.has(member.user)) this._emitter.emit("joined", member);
      for (const member of gone) this._emitter.emit("left", member);
    }
    this._emitter.emit("members", list);
  }
}
