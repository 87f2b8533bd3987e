// Notifications: the event `notification` in the user's own channel and in `everyone`.

import type { Channel } from "../core/channel.js";
import { quiet } from "../core/deferred.js";
import type { Unsubscribe } from "../core/emitter.js";
import type { EventMessage, Message, NotificationData } from "../core/events.js";
import { Observable } from "../core/observable.js";
import { EVERYONE } from "../generated/protocol.js";
import type { ChatPort } from "./port.js";
import { userChannel } from "./user-channel.js";

/** One notification. A new object after every change. */
export interface NotificationItem {
  readonly id: string;
  readonly channel: string;
  readonly offset: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at: number;
  readonly data: NotificationData;
  /** Whether the user has read it on any device. */
  readonly read: boolean;
}

// The maximum size of a page of history.
const LIMIT = 200;

/** The notifications among the latest 200 entries of both channels, and all later ones. */
export class NotificationList extends Observable {
  readonly #client: ChatPort;
  readonly #items = new Map<string, Message>();
  readonly #channels: Channel[] = [];
  #list: readonly NotificationItem[] | undefined;
  #followed = false;

  /** @internal Does not subscribe yet: `_follow` does. */
  constructor(client: ChatPort) {
    super();
    this.#client = client;
  }

  /** @internal */
  _follow(): this {
    if (!this.#followed) {
      this.#followed = true;
      quiet(
        this.#client._signedIn.then((user) => {
          this.#listen(this.#client.channel(userChannel(user)));
          this.#listen(this.#client.channel(EVERYONE));
        }),
      );
    }
    return this;
  }

  /** The latest first. The same array until it changes. */
  get list(): readonly NotificationItem[] {
    this.#list ??= [...this.#items.values()]
      .sort((a, b) => b.at - a.at)
      .map((message) => this.#item(message));
    return this.#list;
  }

  /** The number of unread notifications. */
  get unread(): number {
    return this.list.filter((item) => !item.read).length;
  }

  /** Marks one and all before it in its channel as read; or all. */
  markRead(id?: string): void {
    for (const channel of this.#channels) {
      const item = this.#items.get(id ?? "");
      if (id === undefined) channel.markRead();
      else if (item?.channel === channel.name) channel.markRead(item.offset);
    }
  }

  /** Calls the listener after a change. Returns a function that removes it. */
  override on(event: "change", listener: () => void): Unsubscribe;
  /** Calls the listener with each new one; those that arrived while all devices were offline, on one device only. */
  override on(event: "notification", listener: (item: NotificationItem) => void): Unsubscribe;
  override on(event: string, listener: (item: never) => void): Unsubscribe {
    return this._emitter.on(event, listener);
  }

  #item({ id, channel, offset, at, data }: Message): NotificationItem {
    const mark = this.#client.channel(channel).receipts.get(this.#client.user ?? "");
    return { id, channel, offset, at, data: data as NotificationData, read: offset <= (mark?.read ?? 0) };
  }

  #listen(channel: Channel): void {
    this.#channels.push(channel);
    const told = () => {
      this.#list = undefined;
      this._changed();
    };
    let loaded = false;
    const load = async (recovered: boolean) => {
      if (loaded && recovered) return;
      for (const [id, item] of this.#items)
        if (!recovered && item.channel === channel.name) this.#items.delete(id);
      const { messages } = await channel.history({ limit: LIMIT });
      loaded = true;
      for (const message of messages)
        if (message.event === "notification") this.#items.set(message.id, message);
      told();
    };
    channel.on("event:notification", (message: EventMessage) => {
      this.#items.set(message.id, message);
      told();
      this._emitter.emit("notification", this.#item(message));
    });
    channel.on("receipts", told);
    // Again only after a gap.
    channel.on("subscribed", ({ recovered }) => load(recovered).catch(() => {}));
    if (channel.position !== undefined) load(true).catch(() => {});
    void channel._warn(channel._share({ undelivered: true }));
  }
}
