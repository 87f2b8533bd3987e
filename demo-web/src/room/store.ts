// One room of one client, outside of React: turns what its channel says into a `RoomLog`, counts for the fault panel, and
// keeps what was written and not yet sent. It lives as long as the client, so a message that waits is still there when one
// comes back to the room.

import type { Channel, Client, EverwireError, Outgoing } from "everwire";
import { beginnings, countChannel } from "../faults/counting";
import type { Journal } from "../faults/journal";
import type { Tally } from "../faults/tally";
import type { Trips } from "../faults/trips";
import { roomOf } from "../rooms/names";
import { EMPTY_LOG, type RoomAction, type RoomLog, roomLog } from "./log";
import { missingTitle, whyMissing } from "./missing";

/** What this chat sends through a channel. */
export type ChatEvents = { message: { text: string } };

/** How many messages to fetch on entering. */
export const RECENT = 50;

/** A message of somebody else that has just come: not history. */
export interface Arrival {
  readonly name: string;
  readonly text: string;
}

export interface RoomContext {
  readonly client: Client;
  readonly me: { readonly user: string; readonly name: string };
  readonly tally: Tally;
  readonly trips: Trips;
  readonly journal: Journal;
}

export class RoomStore {
  readonly channel: Channel<ChatEvents>;
  readonly slug: string;
  readonly #context: RoomContext;
  readonly #listeners = new Set<() => void>();
  readonly #arrivals = new Set<(arrival: Arrival) => void>();
  #log: RoomLog = EMPTY_LOG;
  #draft = "";
  #refused: EverwireError | undefined;

  constructor(slug: string, context: RoomContext) {
    this.slug = slug;
    this.channel = context.client.channel<ChatEvents>(roomOf(slug).channel);
    this.#context = context;
    this.#listen();
  }

  get log(): RoomLog {
    return this.#log;
  }

  /** Why the server does not let us in, or not any longer. */
  get refused(): EverwireError | undefined {
    return this.#refused;
  }

  get draft(): string {
    return this.#draft;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` for every message of somebody else that comes while one is here. */
  onArrival(listener: (arrival: Arrival) => void): () => void {
    this.#arrivals.add(listener);
    return () => this.#arrivals.delete(listener);
  }

  write(draft: string): void {
    this.#draft = draft;
    this.#changed();
  }

  send(text: string): void {
    this.#draft = "";
    // How it goes is told by "sending"; a rejection is one of the things that it tells.
    this.channel.send({ text }).catch(() => undefined);
    this.#changed();
  }

  discard(id: string): void {
    this.#apply({ type: "discarded", id });
  }

  /** Leaves and enters again: fetches the latest messages anew. */
  async reload(): Promise<void> {
    await this.channel.unsubscribe();
    // Why it fails is told by "error".
    await this.channel.subscribe({ recent: RECENT }).catch(() => undefined);
  }

  #listen(): void {
    const { channel } = this;
    const { me, tally, trips, journal } = this.#context;
    const isAfresh = beginnings(channel);

    countChannel(channel, tally, trips);
    channel.on("gap", ({ from, to, reason }) => {
      journal.add("room", `${missingTitle({ from, to, reason })} in #${this.slug}`, whyMissing(reason));
      this.#apply({ type: "gap", from, to, reason });
    });
    channel.on("subscribed", ({ offset, head, recovered }) => {
      const afresh = isAfresh();
      this.#refused = undefined;
      if (recovered && !afresh && head > offset)
        journal.add("room", `Catching up in #${this.slug}`, `${head - offset} missed`);
      this.#apply({ type: "subscribed", offset, head, afresh });
    });
    channel.on("message", ({ id, offset, user, name, at, data }) => {
      const mine = user === me.user;
      const text = textOf(data);
      const before = this.#log.fresh;
      this.#apply({ type: "message", mine, message: { id, offset, user, name: name ?? user, at, text } });
      if (this.#log.fresh > before) {
        for (const listener of this.#arrivals) listener({ name: name ?? user, text });
      }
    });
    channel.on("sending", (outgoing) => {
      this.#apply({ type: "sending", sending: entryOf(outgoing, me) });
    });
    channel.on("error", (error) => {
      journal.add("error", `#${this.slug}: ${error.code}`, error.message);
      this.#refused = error;
      this.#changed();
    });
  }

  #apply(action: RoomAction): void {
    this.#log = roomLog(this.#log, action);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const rooms = new WeakMap<Client, Map<string, RoomStore>>();

/** The store of a room: always the same one for the same client and room. */
export function roomStore(slug: string, context: RoomContext): RoomStore {
  let all = rooms.get(context.client);
  if (all === undefined) {
    all = new Map();
    rooms.set(context.client, all);
  }
  let store = all.get(slug);
  if (store === undefined) {
    store = new RoomStore(slug, context);
    all.set(slug, store);
  }
  return store;
}

function entryOf(outgoing: Outgoing, me: { user: string; name: string }) {
  const { id, data, status, offset, at, error } = outgoing;
  return {
    id,
    user: me.user,
    name: me.name,
    text: textOf(data),
    status,
    at: at ?? Date.now(),
    ...(offset !== undefined && { offset }),
    ...(error && { error: error.message }),
  };
}

/** Other applications may write into the same channel, and then it is not what this chat sends. */
function textOf(data: unknown): string {
  if (typeof data === "object" && data !== null && "text" in data && typeof data.text === "string")
    return data.text;
  return JSON.stringify(data) ?? "";
}
