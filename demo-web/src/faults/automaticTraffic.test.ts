// What the automatic traffic reports of a channel that loses, duplicates and reorders.

import type { Client } from "everwire";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EVERY_MS, Traffic } from "./automaticTraffic";
import { DeliveryCounters } from "./deliveryCounters";
import { RoundTrips } from "./roundTrips";
import { Timeline } from "./timeline";

type Listener = (value: object) => void;

/** A channel that the test controls. */
class FakeChannel {
  readonly sent: { id: string; number: number }[] = [];
  readonly #listeners = new Map<string, Listener[]>();
  readonly #subscribed = Promise.resolve();

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  tell(event: string, value: object): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value);
  }

  subscribe(): Promise<void> {
    return this.#subscribed;
  }

  send({ number }: { number: number }): Promise<never> & { id: string } {
    const id = `m${number}`;
    this.sent.push({ id, number });
    this.tell("sending", { id, status: "queued" });
    this.tell("sending", { id, status: "sent" });
    return Object.assign(new Promise<never>(() => undefined), { id });
  }

  stored(number: number, offset: number): void {
    this.tell("sending", { id: `m${number}`, status: "stored", offset });
  }

  receive(number: number, offset: number): void {
    this.tell("message", { id: `m${number}`, offset, data: { number } });
  }
}

let channel: FakeChannel;
let traffic: Traffic;
let counters: DeliveryCounters;
let named: string | undefined;

beforeEach(async () => {
  vi.useFakeTimers();
  channel = new FakeChannel();
  counters = new DeliveryCounters();
  const client = {
    session: "s1",
    channel: (name: string) => {
      named = name;
      return channel;
    },
  };
  traffic = new Traffic(client as unknown as Client, counters, new RoundTrips(new Timeline()));
  channel.tell("subscribed", { epoch: "e", offset: 0 });
  traffic.start();
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
});
afterEach(() => {
  vi.useRealTimers();
});

it("sends a number every 200 ms on a channel of its own until it is stopped", async () => {
  expect(named).toBe("private-lab.s1");
  expect(channel.sent.map(({ number }) => number)).toEqual([1, 2, 3]);
  traffic.stop();
  await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
  expect(channel.sent).toHaveLength(3);
  expect(traffic.state).toMatchObject({ on: false, sent: 3, inFlight: 3 });
});

it("counts messages that come back, before or after their ack", () => {
  channel.stored(1, 1);
  channel.receive(1, 1);
  channel.receive(2, 2);
  channel.stored(2, 2);
  channel.receive(3, 3);
  expect(traffic.state).toMatchObject({
    sent: 3,
    back: 3,
    inFlight: 0,
    duplicated: 0,
    lost: 0,
    outOfOrder: 0,
  });
  expect(counters.counts).toMatchObject({ sent: 3, acked: 2, received: 3, lost: 0, duplicated: 0 });
});

it("detects duplicates, losses and reordering", () => {
  channel.stored(1, 1);
  channel.receive(3, 2);
  channel.receive(3, 3);
  channel.receive(2, 4);
  expect(traffic.state).toMatchObject({ back: 2, duplicated: 1, lost: 1, outOfOrder: 1, inFlight: 0 });
  expect(counters.counts).toMatchObject({ lost: 1, duplicated: 1 });
});

it("does not accept another number with a known id", () => {
  channel.tell("message", { id: "m1", offset: 1, data: { number: 7 } });
  expect(traffic.state).toMatchObject({ back: 0, inFlight: 3 });
});

it("does not wait for messages in a declared gap", () => {
  channel.stored(1, 1);
  channel.tell("gap", { from: 1, to: 1, reason: "trimmed" });
  expect(traffic.state).toMatchObject({ lost: 0, inFlight: 2 });
  expect(counters.counts).toMatchObject({ lost: 0, missing: 1 });
});

it("pauses rather than fill the outbox", async () => {
  await vi.advanceTimersByTimeAsync(1000 * EVERY_MS);
  expect(channel.sent).toHaveLength(300);
  channel.receive(1, 1);
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(channel.sent).toHaveLength(301);
});
