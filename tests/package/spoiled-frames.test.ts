// Frames of a server that the client cannot read: reported, and a message among them does not come again with every connection.

import { expect, it } from "vitest";
import { dispatch } from "../../pkg-js/src/core/dispatch";
import type { ChannelPort } from "../../pkg-js/src/core/port";

const ENTRY = {
  type: "message",
  channel: "news",
  offset: 7,
  id: "0199a1b2-c3d4-7000-8000-000000000001",
  user: "ann",
  at: 1,
  data: 1,
};

/** Passes one frame on. What the core and the application heard. */
function hear(frame: Readonly<Record<string, unknown>>, accepts = true): string[] {
  const heard: string[] = [];
  const core = {
    accept: (handle: number, offset: number) => {
      heard.push(`accept ${handle} ${offset}`);
      return accepts;
    },
    violation: ({ message }: { message: string }) => heard.push(`violation: ${message}`),
  };
  const port = { name: "news", _handle: 3, _deliver: () => heard.push("delivered") };
  const receiver = {
    _channels: new Map([["news", port as unknown as ChannelPort]]),
    _emitError: (error: Error & { code: string }) => heard.push(`${error.code}: ${error.message}`),
  };
  dispatch([frame], core as never, receiver as never);
  return heard;
}

it("a message that can be read is delivered", () => {
  expect(hear(ENTRY)).toEqual(["accept 3 7", "delivered"]);
});

it.each([
  ["id", { ...ENTRY, id: 7 }],
  ["user", { ...ENTRY, user: null }],
  ["deleted", { ...ENTRY, deleted: { user: "ann" } }],
  ["target", { ...ENTRY, action: "edit" }],
])("the position moves past a message with an invalid %s, which is reported once", (field, frame) => {
  const error = `protocol_violation: invalid field ${field} of a message frame`;
  expect(hear(frame)).toEqual(["accept 3 7", error]);
  expect(hear(frame, false)).toEqual(["accept 3 7"]);
});

it.each([
  ["offset", { ...ENTRY, offset: -1 }],
  ["channel", { ...ENTRY, channel: 7 }],
])("a message with an invalid %s ends the connection", (field, frame) => {
  expect(hear(frame)).toEqual([`violation: invalid field ${field} of a message frame`]);
});

it("a message of a channel that was left is dropped, whatever is wrong with it", () => {
  expect(hear({ ...ENTRY, channel: "old", id: 7 })).toEqual([]);
});

it("another frame that cannot be read ends the connection", () => {
  const frame = { type: "ack", id: "0199a1b2-c3d4-7000-8000-000000000001", channel: "news", at: 1 };
  expect(hear(frame)).toEqual(["violation: invalid field offset of a ack frame"]);
});
