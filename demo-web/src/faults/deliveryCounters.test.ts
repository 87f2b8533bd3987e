// Each counter that should stay at zero is made to count here.

import { beforeEach, expect, it } from "vitest";
import { ChannelCounter, DeliveryCounters } from "./deliveryCounters";

let counters: DeliveryCounters;
let channel: ChannelCounter;

beforeEach(() => {
  counters = new DeliveryCounters();
  channel = new ChannelCounter(counters);
  channel.subscribed("a", 10, true);
});

it("an undisturbed conversation has nothing duplicated and nothing lost", () => {
  channel.sent("m1");
  channel.message("m0", 11);
  channel.acked("m1", 12);
  channel.message("m1", 12);
  expect(counters.counts).toEqual({ sent: 1, acked: 1, received: 2, duplicated: 0, lost: 0, missing: 0 });
});

it("an offset that comes twice is duplicated", () => {
  channel.message("m1", 11);
  channel.message("m1", 11);
  expect(counters.counts).toMatchObject({ received: 1, duplicated: 1, lost: 0 });
});

it("an id that was stored twice is duplicated", () => {
  channel.message("m1", 11);
  channel.message("m1", 12);
  expect(counters.counts).toMatchObject({ duplicated: 1, lost: 0 });
});

it("a hole in the offsets is lost", () => {
  channel.message("m1", 11);
  channel.message("m4", 14);
  expect(counters.counts.lost).toBe(2);
});

it("going on further along the same log without a gap is lost", () => {
  channel.message("m1", 11);
  channel.subscribed("a", 15, false);
  expect(counters.counts.lost).toBe(4);
});

it("a gap that is said is missing, not lost", () => {
  channel.message("m1", 11);
  channel.gap(12, 15, "trimmed");
  channel.subscribed("a", 15, false);
  channel.message("m16", 16);
  expect(counters.counts).toMatchObject({ lost: 0, missing: 4 });
});

it("a new log begins anew", () => {
  channel.message("m1", 11);
  channel.gap(12, 3, "epoch");
  channel.subscribed("b", 3, false);
  channel.message("m4", 4);
  expect(counters.counts).toMatchObject({ lost: 0, duplicated: 0, received: 2 });
});

it("an acked message whose place somebody else has is lost", () => {
  channel.acked("mine", 11);
  channel.message("other", 11);
  expect(counters.counts.lost).toBe(1);
});

it("an ack for a place that has already gone by without the message is lost", () => {
  channel.message("other", 11);
  channel.acked("mine", 11);
  expect(counters.counts.lost).toBe(1);
});

it("an echo that is faster than its ack is neither", () => {
  channel.message("mine", 11);
  channel.acked("mine", 11);
  expect(counters.counts).toMatchObject({ lost: 0, duplicated: 0 });
});

it("entering a room again may bring the same messages again", () => {
  channel.message("m1", 11);
  channel.subscribed("a", 10, true);
  channel.message("m1", 11);
  expect(counters.counts).toMatchObject({ duplicated: 0, lost: 0 });
});

it("a message that is queued again after a reconnect was sent once", () => {
  channel.sent("m1");
  channel.sent("m1");
  expect(counters.counts.sent).toBe(1);
});
