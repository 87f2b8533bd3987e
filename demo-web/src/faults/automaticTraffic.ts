// Automatic traffic: a numbered message every 200 ms into a room that nobody else is in, so that the counts mean something
// while one breaks things. It compares what it sent with what came back, by id and by number, on its own.

import type { Channel, Client } from "everwire";
import type { Tally } from "./deliveryCounters";
import { countChannel } from "./observeChannel";
import type { Trips } from "./roundTrips";

/** How often it sends, in ms. */
export const EVERY_MS = 200;
/** So many may be on their way; then it waits, rather than fill the outbox (1000) that the chat needs too. */
const ON_THE_WAY_MAX = 300;
/** How many ids are remembered, to find what comes twice. */
const REMEMBERED = 5000;

/** What became of the numbered messages. A new object whenever that changed. */
export interface TrafficState {
  readonly on: boolean;
  readonly sent: number;
  /** Came back, the right number under the right id. */
  readonly back: number;
  readonly onTheWay: number;
  /** Came back again. */
  readonly twice: number;
  /** Stored, and what came after it came back, but it did not. */
  readonly never: number;
  /** Came back after one that was sent later. */
  readonly disordered: number;
  /** Refused with an error: the page was told. */
  readonly refused: number;
}

const NOTHING: TrafficState = {
  on: false,
  sent: 0,
  back: 0,
  onTheWay: 0,
  twice: 0,
  never: 0,
  disordered: 0,
  refused: 0,
};

type LabEvents = { message: { number: number } };

/** What traffic needs of a client. */
export type TrafficClient = Pick<Client, "session" | "channel">;

export class Traffic {
  readonly #channel: Channel<LabEvents>;
  readonly #listeners = new Set<() => void>();
  #state = NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #subscribed = false;
  /** Sent, and not back: id to number, and to the offset once that is known. */
  readonly #away = new Map<string, { readonly number: number; offset?: number }>();
  readonly #back = new Set<string>();
  #highest = 0;

  constructor(client: TrafficClient, tally: Tally, trips: Trips) {
    // Named by the session, which no other page has.
    this.#channel = client.channel<LabEvents>(`private-lab.${client.session}`);
    countChannel(this.#channel, tally, trips);
    this.#channel.on("message", ({ id, offset, data }) => this.#came(id, offset, data.number));
    this.#channel.on("gap", () => this.#forgetStored());
    this.#channel.on("error", () => this.stop());
    this.#channel.on("sending", ({ id, status, offset }) => {
      const message = this.#away.get(id);
      if (message && status === "stored" && offset !== undefined) message.offset = offset;
      if (message && status === "failed") {
        this.#away.delete(id);
        this.#change({ refused: this.#state.refused + 1 });
      }
    });
  }

  get state(): TrafficState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#state.on) return;
    this.#change({ on: true });
    // What is sent before the subscription is in place need not come back. Why that fails is told by "error".
    this.#channel.subscribe().then(
      () => {
        this.#subscribed = true;
        this.#tick();
      },
      () => undefined,
    );
  }

  /** What is on its way still comes back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#change({ on: false });
  }

  #tick(): void {
    if (!this.#state.on || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#tick();
    }, EVERY_MS);
    if (this.#subscribed && this.#away.size < ON_THE_WAY_MAX) this.#send();
  }

  #send(): void {
    const number = this.#state.sent + 1;
    const sending = this.#channel.send({ number });
    this.#away.set(sending.id, { number });
    // How it goes is told by "sending".
    sending.catch(({ code }) => {
      if (code === "closed") this.stop();
      // Refused before anybody could have noted its id.
      if (this.#away.delete(sending.id)) this.#change({ refused: this.#state.refused + 1 });
    });
    this.#change({ sent: number });
  }

  #came(id: string, offset: number, number: number): void {
    const { back, twice, disordered, never } = this.#state;
    const message = this.#away.get(id);
    if (message === undefined || message.number !== number) {
      if (this.#back.has(id)) this.#change({ twice: twice + 1 });
      return;
    }
    this.#away.delete(id);
    this.#back.add(id);
    if (this.#back.size > REMEMBERED) this.#back.delete(this.#back.values().next().value ?? "");
    let passed = 0;
    for (const [other, { offset: place }] of this.#away) {
      if (place === undefined || place >= offset) continue;
      this.#away.delete(other);
      passed++;
    }
    this.#change({
      back: back + 1,
      never: never + passed,
      disordered: disordered + (number < this.#highest ? 1 : 0),
    });
    this.#highest = Math.max(this.#highest, number);
  }

  /** The server said that some can no longer be had. Those are counted as missing, and not waited for. */
  #forgetStored(): void {
    for (const [id, { offset }] of this.#away) if (offset !== undefined) this.#away.delete(id);
    this.#change({});
  }

  #change(change: Partial<TrafficState>): void {
    this.#state = { ...this.#state, ...change, onTheWay: this.#away.size };
    for (const listener of this.#listeners) listener();
  }
}

const traffics = new WeakMap<Client, Traffic>();

/** The traffic of a client: always the same. */
export function trafficOf(client: Client, tally: Tally, trips: Trips): Traffic {
  let traffic = traffics.get(client);
  if (traffic === undefined) {
    traffic = new Traffic(client, tally, trips);
    traffics.set(client, traffic);
  }
  return traffic;
}
