// Automatic traffic: a numbered message every 200 ms to a channel that nobody else uses, so that the counters move
// while the visitor injects faults. It compares what it sent with what came back, by id and number, independently of
// the client.

import type { Channel, Client } from "everwire";
import type { DeliveryCounters } from "./deliveryCounters";
import { observeChannel } from "./observeChannel";
import type { RoundTrips } from "./roundTrips";

/** How often it sends, in ms. */
export const EVERY_MS = 200;
/** It pauses while this many messages are in flight, to leave room for the chat in the outbox (1000). */
const MAX_IN_FLIGHT = 300;
/** How many ids are remembered to detect duplicates. */
const REMEMBERED_IDS = 5000;

/** The outcome of the numbered messages. A new object on each change. */
export interface TrafficState {
  readonly on: boolean;
  readonly sent: number;
  /** Came back with the right number and id. */
  readonly back: number;
  readonly inFlight: number;
  /** Came back again. */
  readonly duplicated: number;
  /** Stored but skipped: a later one came back. */
  readonly lost: number;
  /** Came back after a message that was sent later. */
  readonly outOfOrder: number;
  /** Rejected with an error. */
  readonly refused: number;
}

const NOTHING: TrafficState = {
  on: false,
  sent: 0,
  back: 0,
  inFlight: 0,
  duplicated: 0,
  lost: 0,
  outOfOrder: 0,
  refused: 0,
};

type LabEvents = { message: { number: number } };

/** The parts of a client that the traffic uses. */
export type TrafficClient = Pick<Client, "session" | "channel">;

export class Traffic {
  readonly #channel: Channel<LabEvents>;
  readonly #listeners = new Set<() => void>();
  #state = NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #subscribed = false;
  /** Messages in flight: id to number, and to the offset once it is known. */
  readonly #inFlight = new Map<string, { readonly number: number; offset?: number }>();
  readonly #returned = new Set<string>();
  #highest = 0;

  constructor(client: TrafficClient, counters: DeliveryCounters, roundTrips: RoundTrips) {
    // The session id makes the name unique to this page.
    this.#channel = client.channel<LabEvents>(`private-lab.${client.session}`);
    observeChannel(this.#channel, counters, roundTrips);
    this.#channel.on("message", ({ id, offset, data }) => this.#received(id, offset, data.number));
    this.#channel.on("gap", () => this.#forgetStored());
    this.#channel.on("error", () => this.stop());
    this.#channel.on("sending", ({ id, status, offset }) => {
      const message = this.#inFlight.get(id);
      if (message && status === "stored" && offset !== undefined) message.offset = offset;
      if (message && status === "failed") {
        this.#inFlight.delete(id);
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
    // Messages sent before the subscription is confirmed need not come back. The "error" event reports a failure.
    this.#channel.subscribe().then(
      () => {
        this.#subscribed = true;
        this.#tick();
      },
      () => undefined,
    );
  }

  /** Messages in flight still come back. */
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
    if (this.#subscribed && this.#inFlight.size < MAX_IN_FLIGHT) this.#send();
  }

  #send(): void {
    const number = this.#state.sent + 1;
    const sending = this.#channel.send({ number });
    this.#inFlight.set(sending.id, { number });
    // The "sending" event reports the outcome.
    sending.catch(({ code }) => {
      if (code === "closed") this.stop();
      // Rejected before its id could be recorded.
      if (this.#inFlight.delete(sending.id)) this.#change({ refused: this.#state.refused + 1 });
    });
    this.#change({ sent: number });
  }

  #received(id: string, offset: number, number: number): void {
    const { back, duplicated, outOfOrder, lost } = this.#state;
    const message = this.#inFlight.get(id);
    if (message === undefined || message.number !== number) {
      if (this.#returned.has(id)) this.#change({ duplicated: duplicated + 1 });
      return;
    }
    this.#inFlight.delete(id);
    this.#returned.add(id);
    if (this.#returned.size > REMEMBERED_IDS)
      this.#returned.delete(this.#returned.values().next().value ?? "");
    let skipped = 0;
    for (const [other, { offset: place }] of this.#inFlight) {
      if (place === undefined || place >= offset) continue;
      this.#inFlight.delete(other);
      skipped++;
    }
    this.#change({
      back: back + 1,
      lost: lost + skipped,
      outOfOrder: outOfOrder + (number < this.#highest ? 1 : 0),
    });
    this.#highest = Math.max(this.#highest, number);
  }

  /** The server declared a gap: messages in it count as missing and are no longer awaited. */
  #forgetStored(): void {
    for (const [id, { offset }] of this.#inFlight) if (offset !== undefined) this.#inFlight.delete(id);
    this.#change({});
  }

  #change(change: Partial<TrafficState>): void {
    this.#state = { ...this.#state, ...change, inFlight: this.#inFlight.size };
    for (const listener of this.#listeners) listener();
  }
}

const traffics = new WeakMap<Client, Traffic>();

/** The traffic of a client, created on first use. */
export function trafficOf(client: Client, counters: DeliveryCounters, roundTrips: RoundTrips): Traffic {
  let traffic = traffics.get(client);
  if (traffic === undefined) {
    traffic = new Traffic(client, counters, roundTrips);
    traffics.set(client, traffic);
  }
  return traffic;
}
