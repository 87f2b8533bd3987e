// Published events change the board.

import { expect, it } from "vitest";
import { type Board, boardAfter, EMPTY_BOARD, STEPS } from "./board";
import { advanceOrder, type BoardEvent, newOrder, nextShopEvent, toggleSystem } from "./events";

const zero = () => 0;
let next = 0;
function applied(board: Board, event: BoardEvent | undefined): Board {
  next++;
  return event ? boardAfter(board, { id: String(next), at: next, ...event }) : board;
}

it("an order goes through every state and off the board", () => {
  let board = applied(EMPTY_BOARD, newOrder(EMPTY_BOARD, zero));
  const seen: (string | undefined)[] = [];
  for (let step = 0; step <= STEPS.length; step++) {
    seen.push([...board.orders.values()][0]?.state);
    board = applied(board, advanceOrder(board));
  }
  expect(seen).toEqual([...STEPS, undefined]);
});

it("every order has its own number", () => {
  const one = applied(EMPTY_BOARD, newOrder(EMPTY_BOARD, zero));
  expect(applied(one, newOrder(one, zero)).orders.size).toBe(2);
});

it("repairs a broken system before it breaks another one", () => {
  const broken = applied(EMPTY_BOARD, toggleSystem(EMPTY_BOARD, zero));
  expect([...broken.systems.values()][0]?.status).toBe("degraded");
  const repaired = applied(broken, toggleSystem(broken, zero));
  expect([...repaired.systems.values()].map(({ status }) => status)).toEqual(["ok"]);
});

it("a busy shop keeps a handful of orders", () => {
  let board = EMPTY_BOARD;
  for (let n = 0; n < 500; n++) {
    const roll = (n * 0.618) % 1;
    board = applied(
      board,
      nextShopEvent(board, "ada", () => roll),
    );
    expect(board.orders.size).toBeLessThanOrEqual(9);
  }
  expect(board.orders.size).toBeGreaterThan(0);
});
