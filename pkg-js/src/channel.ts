// A channel as the application sees it: listeners, one subscription, members, and what is sent to it. Which entries are
// delivered, and from where, is the core's decision; `position` only repeats what the core said last.

import type { Link } from "./client.js";
import { type Deferred, defer, quiet } from "./deferred.js";
import { Emitter, type Off } from "./emitter.js";
import { asError, EverwireError } from "./errors.js";
import type {
  ChannelEvents,
  DefaultEvents,
  EventName,
  Member,
  Message,
  MessageData,
  Position,
  Sending,
  Subscribed,
  SubscribeOptions,
} from "./events.js";
import { beginSend } from "./sending.js";

/** A named log that can be listened to and written to. Made by `Client.channel`; the same object for the same name. */
export class Channel<Events extends object = DefaultEvents> {
  readonly name: string;
  /** @internal The core's name for the running subscription; -1 if there is none. */
  _handle = -1;
  /** @internal */
  readonly _emitter = new Emitter();
  readonly #link: Link;
  #ready: Deferred<Subscribed> | undefined;
  #live = false;
  #epoch: string | undefined;
  #offset = 0;
  #members = new Map<string, Member>();
  #list: readonly Member[] = [];
  #arriving: readonly Member[] | undefined;

  /** @internal */
  constructor(link: Link, name: string) {
    this.#link = link;
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

  /** The place of the last entry that was delivered. */
  get position(): Position | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, offset: this.#offset };
  }

  /** Adds a listener. What it returns removes it again. */
  on<Name extends keyof ChannelEvents<Events> & string>(
    event: Name,
    listener: (value: ChannelEvents<Events>[Name]) => void,
  ): Off {
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
    const { recent, position } = options;
    this.#link._call(
      (core) => {
        // Unsubscribed before the core was there.
        if (this.#ready !== ready) return;
        try {
          this._handle = core.subscribe(this.name, recent, position?.epoch, position?.offset);
          this.#link._handles.set(this._handle, this as unknown as Channel<object>);
        } catch (cause) {
          this._end(asError(cause));
        }
      },
      (error) => this._end(error),
    );
    return ready.promise;
  }

  /** Stops receiving. What is being sent still goes out. */
  async unsubscribe(): Promise<void> {
    const handle = this._handle;
    if (this.#ready === undefined) return;
    this._end(
      new EverwireError("unsubscribed", "The channel was unsubscribed before it was subscribed."),
      true,
    );
    if (handle >= 0) this.#link._call((core) => core.unsubscribe(handle));
  }

  /** Sends a plain message. Resolves when the server has stored it; it waits for the connection for as long as it takes. */
  send(data: MessageData<Events>, options?: { event?: undefined }): Sending;
  /** Sends a custom event. */
  send<Name extends EventName<Events>>(data: Events[Name], options: { event: Name }): Sending;
  send(data: unknown, options?: { event?: string | undefined }): Sending {
    return beginSend(this.#link, this as unknown as Channel<object>, data, options?.event);
  }

  /** @internal Who the server takes the client for. */
  get _me(): string | undefined {
    return this.#link._user;
  }

  /** @internal The core has accepted this entry. */
  _deliver(message: Message): void {
    this.#offset = message.offset;
    if (message.event == null) this._emitter.emit("message", message);
    else {
      this._emitter.emit("event", message);
      this._emitter.emit(`event:${message.event}`, message);
    }
  }

  /** @internal A `subscribed` frame: `counts` asks the core, which may tell of it at once or later. */
  _snapshot(members: readonly Member[], counts: () => boolean): void {
    this.#arriving = members;
    if (counts()) this.#arrive();
    this.#arriving = undefined;
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
    this.#link._handles.delete(this._handle);
    this._handle = -1;
    this.#ready = undefined;
    this.#live = false;
    this.#arriving = [];
    this.#arrive();
    const heard = this._emitter.has("error");
    if (silent || heard) quiet(ready.promise);
    ready.reject(error);
    if (silent) return;
    if (heard) this._emitter.emit("error", error);
    // The promise of a running subscription was resolved long ago: this must not go by unseen.
    else if (running) console.warn(error);
  }

  /** @internal */
  _joined(member: Member): void {
    if (this.#members.has(member.user)) return;
    this.#members.set(member.user, member);
    this.#changed([member], []);
  }

  /** @internal */
  _left(user: string): void {
    const member = this.#members.get(user);
    if (member === undefined) return;
    this.#members.delete(user);
    this.#changed([], [member]);
  }

  /**
   * The members that came with `subscribed` take the place of those that were known. The first ones are told as a whole
   * only; later, after a reconnect, also who has come and gone in the meantime.
   */
  #arrive(): void {
    const arriving = this.#arriving;
    if (arriving === undefined) return;
    this.#arriving = undefined;
    const before = this.#members;
    this.#members = new Map(arriving.map((member) => [member.user, member]));
    const came = arriving.filter((member) => !before.has(member.user));
    const gone = [...before.values()].filter((member) => !this.#members.has(member.user));
    const renamed = arriving.some((member) => before.get(member.user)?.name !== member.name);
    if (this.#live) this.#changed(came, gone, renamed);
    else this.#changed([], [], came.length + gone.length > 0 || renamed);
  }

  #changed(came: readonly Member[], gone: readonly Member[], otherwise = false): void {
    if (came.length + gone.length === 0 && !otherwise) return;
    this.#list = [...this.#members.values()];
    for (const member of came) this._emitter.emit("joined", member);
    for (const member of gone) this._emitter.emit("left", member);
    this._emitter.emit("members", this.#list);
  }
}
