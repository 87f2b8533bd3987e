// Delivery states as text.

import { expect, it } from "vitest";
import type { ChatRow } from "../messenger/messengerApi";
import { deliveryState, receiptText } from "./deliveryState";

const row = (change: Partial<ChatRow>): ChatRow => ({
  id: "m",
  data: {},
  status: "stored",
  mine: true,
  deliveredTo: 0,
  readBy: 0,
  edited: false,
  deleted: false,
  ...change,
});

it.each([
  [{ status: "queued" }, 1, "Waiting for a connection"],
  [{ status: "sent" }, 1, "Sending"],
  [{ status: "failed" }, 1, "Failed"],
  [{}, 1, "Stored"],
  [{ deliveredTo: 1 }, 1, "Delivered"],
  [{ deliveredTo: 1, readBy: 1 }, 1, "Read"],
  [{ deliveredTo: 2 }, 3, "Delivered to 2 of 3"],
  [{ deliveredTo: 3, readBy: 2 }, 3, "Read by 2 of 3"],
  [{ deliveredTo: 3, readBy: 3 }, 3, "Read by all"],
] as const)("%j among %i others: %s", (change, others, text) =>
  expect(deliveryState(row(change), others).text).toBe(text),
);

it("lists who has read and received a message", () => {
  const receipts = new Map(
    [
      { user: "ada", delivered: 9, read: 9 },
      { user: "grace", delivered: 9, read: 4 },
      { user: "linus", delivered: 4, read: 4 },
    ].map((receipt) => [receipt.user, receipt]),
  );
  const others = ["ada", "grace", "linus"].map((user) => ({ user, name: user }));
  expect(receiptText(5, receipts, others)).toBe("Read by ada. Delivered to grace. Not delivered to linus.");
  expect(receiptText(9, receipts, others.slice(0, 1))).toBe("Read by ada.");
});
