// The message list of a chat: stored messages and the user's pending ones, merged by id, so that a message and its echo are
// one row; with edits, deletions and receipts applied. Independent of frameworks; the React and Vue bindings use it. It
// reads a channel and never subscribes to it.
//
// No message causes a walk over all rows: rows are found by binary search, a receipt updates the rows between the old mark
// and the new one, and a batch is one change.

import type { Channel } from "../core/channel.js";
import type { Unsubscribe } from "../core/emitter.js";
import type { EverwireError } from "../core/errors.js";
import type { Message, MessageData, Outgoing, SendingStatus, UserReceipt } from "../core/events.js";
import { Observable } from "../core/observable.js";
import type { ErasedEntries } from "../generated/protocol.js";

/** One message, stored or pending. A new object after every change. */
export interface Row<Data = unknown> {
  readonly id: string;
  /** The data, after edits; null once it is deleted: check `deleted` first. */
  readonly data: Data;
  /** `stored` for messages from the server; the status of a pending edit or deletion if the user has made one. */
  readonly status: SendingStatus;
  /** Whether this user sent it. */
  readonly mine: boolean;
  readonly edited: boolean;
  readonly deleted: boolean;
  /** For the user's own messages: how many others have received it, where the server keeps marks. */
  readonly deliveredTo: number;
  /** For the user's own messages: how many others have read it. */
  readonly readBy: number;
  /** The id of the message that this one replies to. */
  readonly replyTo?: string;
  /** The name of a custom event. Only with the option `events`. */
  readonly event?: string;
  /** The user who sent it, once known. */
  readonly user?: string;
  readonly name?: string;
  /** Its offset in the log, once stored. */
  readonly offset?: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at?: number;
  /** The error if it failed. */
  readonly error?: EverwireError;
}

/** Options of a message list. */
export interface MessageListOptions {
  /**
   * How many of the latest stored messages to keep; 200 by default. Pending messages are always kept, and after `loadOlder`
   * all messages are.
   */
  limit?: number | undefined;
  /** The custom events that become rows too. */
  events?: readonly string[] | undefined;
}

/** A position in one of the channel's successive logs, which `era` counts: offsets are comparable within one only. */
interface Place {
  readonly era: number;
  readonly offset: number;
}

type StoredRow = Row & Place;

/** Offsets of the current log that are before the newest rows and not listed. */
interface Hole {
  readonly from: number;
  to: number;
}

const changeOf = ({
  action,
  data,
  deleted,
}: Pick<Outgoing, "action" | "data"> & Pick<Message, "deleted">): Partial<Row> =>
  action === "edit" && !deleted ? { data, edited: true } : { data: null, edited: false, deleted: true };

const order = (a: Place, b: Place) => a.era - b.era || a.offset - b.offset;

/** Follows a channel from its creation. Create it before subscribing, so that it includes the replay. */
export class MessageList<Events extends object = object> extends Observable {
  readonly #channel: Channel<object>;
  readonly #limit: number;
  readonly #events: readonly string[];
  readonly #offs: readonly Unsubscribe[];
  // By era and offset, once `#settle` was called.
  #stored: StoredRow[] = [];
  #sorted = true;
  readonly #byId = new Map<string, StoredRow>();
  // In the order in which they were sent.
  readonly #pending = new Map<string, Row>();
  // The last change of each message, including messages that are not listed (yet).
  readonly #changes = new Map<string, Place & { readonly change: Partial<Row> }>();
  // The user's last pending change of each, and the row without it.
  readonly #own = new Map<string, { readonly id: string; readonly change: Partial<Row>; was?: StoredRow }>();
  #rows: readonly Row[] | undefined = [];
  #epoch: string | undefined;
  #era = 0;
  // The last received offset, and the last one dropped because of the limit.
  #seen = 0;
  #cut = 0;
  // In rising order.
  #holes: Hole[] = [];
  #grown = false;
  #loading: Promise<boolean> | undefined;
  #marks: ReadonlyMap<string, UserReceipt>;

  constructor(channel: Channel<Events>, { limit = 200, events = [] }: MessageListOptions = {}) {
    super();
    const source = channel as unknown as Channel<object>;
    this.#channel = source;
    this.#limit = limit;
    this.#events = events;
    this.#marks = source.receipts;
    if (source.position !== undefined) this.#onSubscribed(source.position);
    const take = (message: Message) => {
      this.#seen = Math.max(this.#seen, message.offset);
      this.#take(message);
      this.#settle();
    };
    this.#offs = [
      source.on("message", take),
      source._emitter.on("event", take),
      source.on("sending", (outgoing) => this.#onSending(outgoing)),
      source.on("gap", ({ reason }) => {
        // Another log, even if it has the same epoch.
        if (reason === "epoch") this.#epoch = "";
      }),
      source.on("subscribed", (place) => this.#onSubscribed(place)),
      source.on("receipts", (marks) => this.#onReceipts(marks)),
    ];
  }

  /** Stored messages by offset, then pending and failed ones in sending order. The same array until it changes. */
  get rows(): readonly Row<MessageData<Events>>[] {
    if (this.#rows === undefined) {
      this.#settle();
      this.#rows = (this.#stored as Row[]).concat([...this.#pending.values()]);
    }
    return this.#rows as readonly Row<MessageData<Events>>[];
  }

  /** Whether there may be older messages than those listed, or missed ones between them. */
  get hasOlder(): boolean {
    return this.#cut + this.#holes.length > 0;
  }

  /**
   * Loads messages older than those listed, without gaps or duplicates; at most 50 by default. After a gap, missed messages
   * are loaded first, if they are still stored. Returns whether there may be more. Concurrent calls return the same
   * promise.
   */
  loadOlder(limit?: number): Promise<boolean> {
    this.#loading ??= this.#load(limit).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Removes a failed message from the list, for example because it was sent again with another id. */
  dismiss(id: string): void {
    if (this.#pending.get(id)?.status === "failed" && this.#pending.delete(id)) this._changed();
  }

  /** Stops following the channel. */
  stop(): void {
    for (const off of this.#offs) off();
  }

  async #load(limit: number | undefined): Promise<boolean> {
    this.#grown = true;
    if (this.#cut > 0) {
      this.#holes = [{ from: 1, to: this.#cut }, ...this.#holes.filter((hole) => hole.to > this.#cut)];
      this.#cut = 0;
    }
    const hole = this.#holes.at(-1);
    if (hole === undefined) return false;
    const { epoch, messages, more } = await this.#channel.history({ before: hole.to + 1, limit });
    // Not if the log has been replaced since.
    if (epoch === this.#epoch && this.#holes.includes(hole)) {
      for (const message of messages) if (message.offset >= hole.from) this.#take(message);
      hole.to = ((more && messages[0]?.offset) || 0) - 1;
      if (hole.to < hole.from) this.#holes = this.#holes.filter((other) => other !== hole);
      this._changed();
    }
    return this.hasOlder;
  }

  #onSubscribed({ epoch, offset }: { epoch: string; offset: number }): void {
    if (epoch !== this.#epoch) {
      if (this.#epoch !== undefined) this.#era++;
      this.#epoch = epoch;
      this.#holes = [];
      this.#seen = this.#cut = 0;
    }
    if (offset > this.#seen) {
      this.#holes.push({ from: this.#seen + 1, to: offset });
      this.#seen = offset;
      this._changed();
    }
  }

  /** A stored message, live or from history. */
  #take(message: Message): void {
    const { id, data, event, action, target, user, name, offset, at } = message;
    const era = this.#era;
    if (action === "edit" || action === "delete") {
      this.#change(target as string, { era, offset }, changeOf(message));
    } else if (event === "everwire.erased") {
      // The server has blanked what an erased user had sent.
      const gone = { ...changeOf(message), user: "", name: "" };
      const { offsets } = data as ErasedEntries;
      for (const row of [...this.#stored])
        if (row.era === era && offsets.includes(row.offset)) this.#change(row.id, { era, offset }, gone);
    } else if (event == null || this.#events.includes(event)) {
      const mine = user === this.#channel._me || this.#byId.get(id)?.mine === true;
      const row = this.#row(message, "stored", mine);
      // The server blanks what was deleted: the deletion itself may be further down, or on no page that is loaded.
      const gone = message.deleted && changeOf(message);
      this.#put({ ...row, data, user, ...(name != null && { name }), offset, at, era, ...gone });
    }
  }

  /** Applies an edit or deletion if it is the latest, even if the message is not listed (yet). */
  #change(target: string, place: Place, change: Partial<Row>): void {
    const known = this.#changes.get(target);
    if (known === undefined || order(known, place) < 0) this.#changes.set(target, { ...place, change });
    this.#again(target);
  }

  /** Updates a row, if it is listed. */
  #again(id: string, row = this.#byId.get(id)): void {
    if (row !== undefined && this.#byId.has(id)) this.#put(row);
  }

  #onSending(outgoing: Outgoing): void {
    const { id, event, action, target = "", status, offset, at, error } = outgoing;
    if (action === "edit" || action === "delete") {
      const { id: last, was } = this.#own.get(target) ?? {};
      if (status !== "stored" && error === undefined) {
        this.#own.set(target, { id, change: { ...changeOf(outgoing), status }, ...(was && { was }) });
      } else if (last === id) {
        this.#own.delete(target);
      }
      if (offset !== undefined) this.#change(target, { era: this.#era, offset }, changeOf(outgoing));
      this.#again(target, was);
      return;
    }
    // Not every event is a row, and a stored message needs no sending status.
    if (event !== undefined && !this.#events.includes(event)) return;
    if (this.#byId.has(id)) return;
    const user = this.#channel._me;
    const row = { ...this.#row(outgoing, status, true), ...(user !== undefined && { user }) };
    if (status === "stored" && offset !== undefined && at !== undefined) {
      this.#put({ ...row, offset, at, era: this.#era });
    } else {
      if (error?.code === "cancelled") this.#pending.delete(id);
      else this.#pending.set(id, error === undefined ? row : { ...row, error });
      this._changed();
    }
  }

  #row({ id, data, event, target }: Message | Outgoing, status: SendingStatus, mine: boolean): Row {
    return {
      id,
      data,
      status,
      mine,
      edited: false,
      deleted: false,
      deliveredTo: 0,
      readBy: 0,
      ...(target != null && { replyTo: target }),
      ...(event != null && { event }),
    };
  }

  /** Adds a stored row, or replaces the one with the same id. */
  #put(base: StoredRow): void {
    const own = this.#own.get(base.id);
    if (own !== undefined) own.was ??= base;
    const row = { ...base, ...this.#counts(base), ...this.#changes.get(base.id)?.change, ...own?.change };
    const known = this.#byId.get(row.id);
    const at = known === undefined ? this.#stored.length : this.#find(known);
    const before = this.#stored[at - 1];
    this.#sorted &&=
      known === undefined ? before === undefined || order(before, row) < 0 : order(known, row) === 0;
    this.#pending.delete(row.id);
    this.#byId.set(row.id, row);
    this.#stored[at] = row;
    this._changed();
  }

  #counts({ mine, offset }: StoredRow): Partial<Row> {
    let [deliveredTo, readBy] = [0, 0];
    if (mine) {
      for (const { user, delivered, read } of this.#marks.values()) {
        if (user === this.#channel._me) continue;
        if (delivered >= offset) deliveredTo++;
        if (read >= offset) readBy++;
      }
    }
    return { deliveredTo, readBy };
  }

  #onReceipts(marks: ReadonlyMap<string, UserReceipt>): void {
    const old = this.#marks;
    this.#marks = marks;
    let [from, to] = [Number.POSITIVE_INFINITY, 0];
    for (const user of new Set([...old.keys(), ...marks.keys()])) {
      for (const kind of ["delivered", "read"] as const) {
        const [a, b] = [old.get(user)?.[kind] ?? 0, marks.get(user)?.[kind] ?? 0];
        if (a === b) continue;
        from = Math.min(from, a, b);
        to = Math.max(to, a, b);
      }
    }
    const era = this.#era;
    for (let at = this.#find({ era, offset: from + 1 }); ; at++) {
      const row = this.#stored[at];
      if (row === undefined || row.offset > to) break;
      if (row.mine) this.#put(row);
    }
  }

  /** The index of the row at this position, or of the first one after it. */
  #find(place: Place): number {
    this.#sort();
    let [low, high] = [0, this.#stored.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(this.#stored[middle] as StoredRow, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sort(): void {
    if (!this.#sorted) this.#stored.sort(order);
    this.#sorted = true;
  }

  /** Sorts in what arrived out of order, and drops rows above the limit. */
  #settle(): void {
    this.#sort();
    const over = this.#stored.length - this.#limit;
    if (this.#grown || over <= 0) return;
    for (const { id, era, offset } of this.#stored.splice(0, over)) {
      this.#byId.delete(id);
      if (era === this.#era) this.#cut = offset;
    }
  }

  /** @internal */
  override _changed(): void {
    this.#rows = undefined;
    super._changed();
  }
}
