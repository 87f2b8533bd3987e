// The list that a chat shows: stored messages and one's own that are still on their way, merged by id, so that an own
// message and its echo are one row. Framework-free; the React and Vue bindings show it. It reads a channel and never
// subscribes to it.

import type { Channel } from "./channel.js";
import type { Off } from "./emitter.js";
import { Emitter } from "./emitter.js";
import type { EverwireError } from "./errors.js";
import type { Message, MessageData, Outgoing, SendingStatus } from "./events.js";

/** One plain message, stored or on its way. A new object whenever it changed. */
export interface Row<Data = unknown> {
  readonly id: string;
  readonly data: Data;
  /** `stored` for everything that came from the server. */
  readonly status: SendingStatus;
  /** Whether this user sent it. */
  readonly mine: boolean;
  /** Who sent it, once that is known. */
  readonly user?: string;
  readonly name?: string;
  /** Its place in the log, once stored. */
  readonly offset?: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at?: number;
  /** Why it failed. */
  readonly error?: EverwireError;
}

interface StoredRow extends Row {
  readonly offset: number;
  /** Counts the logs that the channel has had: offsets compare within one only. */
  readonly era: number;
}

/** Follows a channel from the moment it is made. Make it before subscribing, to have the replay too. */
export class MessageList<Events extends object = object> {
  readonly #channel: Channel<object>;
  readonly #limit: number;
  readonly #emitter = new Emitter();
  readonly #offs: readonly Off[];
  // Sorted by era and offset.
  #stored: StoredRow[] = [];
  readonly #byId = new Map<string, StoredRow>();
  // In the order in which they were sent.
  readonly #pending = new Map<string, Row>();
  #rows: readonly Row[] | undefined = [];
  #epoch: string | undefined;
  #era = 0;

  /** `limit`: how many stored messages to keep, the latest ones; 200 by default. Pending ones are always kept. */
  constructor(channel: Channel<Events>, { limit = 200 }: { limit?: number } = {}) {
    const source = channel as unknown as Channel<object>;
    this.#channel = source;
    this.#limit = limit;
    this.#epoch = source.position?.epoch;
    this.#offs = [
      source.on("message", (message) => this.#onMessage(message)),
      source.on("sending", (outgoing) => this.#onSending(outgoing)),
      source.on("subscribed", ({ epoch }) => {
        if (this.#epoch !== undefined && this.#epoch !== epoch) this.#era++;
        this.#epoch = epoch;
      }),
    ];
  }

  /** Stored messages by offset, then pending and failed ones in the order of sending. The same array until it changes. */
  get rows(): readonly Row<MessageData<Events>>[] {
    this.#rows ??= [...this.#stored, ...this.#pending.values()];
    return this.#rows as readonly Row<MessageData<Events>>[];
  }

  /** Calls back after `rows` changed: once for all that changed together. */
  on(event: "change", listener: () => void): Off {
    return this.#emitter.on(event, listener);
  }

  /** Takes a failed message off the list, for example because it was sent again under another id. */
  dismiss(id: string): void {
    if (this.#pending.get(id)?.status === "failed" && this.#pending.delete(id)) this.#changed();
  }

  /** Ends following the channel. */
  stop(): void {
    for (const off of this.#offs) off();
  }

  #onMessage(message: Message): void {
    const { id, data, user, name, offset, at } = message;
    this.#pending.delete(id);
    this.#store({
      id,
      data,
      status: "stored",
      mine: user === this.#channel._me || this.#byId.get(id)?.mine === true,
      user,
      ...(name != null && { name }),
      offset,
      at,
      era: this.#era,
    });
  }

  #onSending({ id, data, event, status, offset, at, error }: Outgoing): void {
    // Custom events are not rows; and what is stored already needs no news of being sent.
    if (event !== undefined || this.#byId.has(id)) return;
    const user = this.#channel._me;
    const row = { id, data, status, mine: true, ...(user !== undefined && { user }) };
    if (status === "stored" && offset !== undefined && at !== undefined) {
      this.#pending.delete(id);
      this.#store({ ...row, offset, at, era: this.#era });
    } else {
      this.#pending.set(id, error === undefined ? row : { ...row, error });
      this.#changed();
    }
  }

  #store(row: StoredRow): void {
    const rows = this.#stored;
    const known = this.#byId.get(row.id);
    this.#byId.set(row.id, row);
    if (known !== undefined) rows.splice(rows.lastIndexOf(known), 1);
    // Nearly always the last place.
    let at = rows.length;
    for (; at > 0; at--) {
      const before = rows[at - 1];
      if (before === undefined || before.era < row.era) break;
      if (before.era === row.era && before.offset < row.offset) break;
    }
    rows.splice(at, 0, row);
    for (const old of rows.splice(0, Math.max(0, rows.length - this.#limit))) this.#byId.delete(old.id);
    this.#changed();
  }

  /** A batch of 256 messages is one change: listeners hear of it when the batch is done. */
  #changed(): void {
    if (this.#rows === undefined) return;
    this.#rows = undefined;
    queueMicrotask(() => this.#emitter.emit("change", undefined));
  }
}
