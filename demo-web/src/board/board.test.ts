// The state of the board as a function of its events.

import { expect, it } from "vitest";
import { type Board, type BoardEntry, boardAfter, EMPTY_BOARD } from "./board";

let next = 0;
const entry = (event: string, data: unknown): BoardEntry => ({ id: `e${next++}`, at: next, event, data });
const order = (action: string, data: unknown) => entry("data_update", { entity: "order", action, data });
const after = (...entries: BoardEntry[]): Board =>
  entries.reduce((board, one) => boardAfter(board, one), EMPTY_BOARD);

it("creates, updates and removes an order", () => {
  const created = order("created", { id: "7", customer: "Ana", item: "Lamp", cents: 900, state: "new" });
  const changed = order("updated", { id: "7", state: "paid" });
  expect(after(created, changed).orders.get("7")).toMatchObject({
    customer: "Ana",
    cents: 900,
    state: "paid",
  });
  expect(after(created, changed, order("deleted", { id: "7" })).orders.size).toBe(0);
});

it("keeps the latest status of each system", () => {
  const { systems } = after(
    entry("status_update", { system: "mail", status: "ok" }),
    entry("status_update", { system: "mail", status: "down", message: "No route" }),
  );
  expect([...systems.values()]).toMatchObject([{ name: "mail", status: "down", message: "No route" }]);
});

it("keeps the latest activities, latest first", () => {
  const lines = Array.from({ length: 100 }, (_, n) =>
    entry("user_activity", { user: "a", activity: `${n}` }),
  );
  const { feed } = after(...lines);
  expect(feed[0]?.activity).toBe("99");
  expect(feed.length).toBeLessThan(100);
});

it.each([
  entry("data_update", { entity: "invoice", action: "created", data: { id: "1" } }),
  entry("something", { id: "1" }),
  { id: "x", at: 1, data: "plain" },
])("ignores $event $data", (entry) => expect(after(entry)).toBe(EMPTY_BOARD));

it("ignores orders without an id and malformed orders", () => {
  expect(after(order("created", undefined), order("created", { id: 7 })).orders.size).toBe(0);
});
