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

it("counts neither duplicates nor losses without faults", () => {
  channel.sent("m1");
  channel.message("m0", 11);
  channel.acked("m1", 12);
  channel.message("m1", 12);
  expect(counters.counts).toEqual({ sent: 1, acked: 1, received: 2, duplicated: 0, lost: 0, missing: 0 });
});

it("a repeated offset is a duplicate", () => {
  channel.message("m1", 11);
  channel.message("m1", 11);
  expect(counters.counts).toMatchObject({ received: 1, duplicated: 1, lost: 0 });
});

it("a repeated id is a duplicate", () => {
  channel.message("m1", 11);
  channel.message("m1", 12);
  expect(counters.counts).toMatchObject({ duplicated: 1, lost: 0 });
});

it("skipped offsets are lost", () => {
  channel.message("m1", 11);
  channel.message("m4", 14);
  expect(counters.counts.lost).toBe(2);
});

it("resuming further along the same log without a gap event is a loss", () => {
  channel.message("m1", 11);
  channel.subscribed("a", 15, false);
  expect(counters.counts.lost).toBe(4);
});

it("a declared gap is missing, not lost", () => {
  channel.message("m1", 11);
  channel.gap(12, 15, "trimmed");
  channel.subscribed("a", 15, false);
  channel.message("m16", 16);
  expect(counters.counts).toMatchObject({ lost: 0, missing: 4 });
});

it("a new log starts over", () => {
  channel.message("m1", 11);
  channel.gap(12, 3, "epoch");
  channel.subscribed("b", 3, false);
  channel.message("m4", 4);
  expect(counters.counts).toMatchObject({ lost: 0, duplicated: 0, received: 2 });
});

it("an acked message whose offset another message has is lost", () => {
  channel.acked("mine", 11);
  channel.message("other", 11);
  expect(counters.counts.lost).toBe(1);
});

it("an ack for an offset that passed without the message is a loss", () => {
  channel.message("other", 11);
  channel.acked("mine", 11);
  expect(counters.counts.lost).toBe(1);
});

it("a message that arrives before its ack is neither", () => {
  channel.message("mine", 11);
  channel.acked("mine", 11);
  expect(counters.counts).toMatchObject({ lost: 0, duplicated: 0 });
});

it("a new subscription may deliver the same messages again", () => {
  channel.message("m1", 11);
  channel.subscribed("a", 10, true);
  channel.message("m1", 11);
  expect(counters.counts).toMatchObject({ duplicated: 0, lost: 0 });
});

it("a message that is queued again after a reconnect counts once", () => {
  channel.sent("m1");
  channel.sent("m1");
  expect(counters.counts.sent).toBe(1);
});
