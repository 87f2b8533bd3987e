// What the operator of the board can publish: the next thing that might happen. Pure, given the numbers it is to take.

import { type Board, STEPS } from "./board";

export interface BoardEvent {
  readonly event: "data_update" | "status_update" | "user_activity";
  readonly data: object;
}

const CUSTOMERS = ["Ana Ruiz", "Ben Okafor", "Chiyo Sato", "Dag Lund", "Eve Moreau", "Femi Ade"] as const;
const ITEMS = ["Desk lamp", "Tea pot", "Bicycle bell", "Notebook", "Wool hat", "Fountain pen"] as const;
const SYSTEMS = ["shop", "payments", "mail", "search"] as const;
const STATUSES = {
  ok: "All is well",
  degraded: "Slower than usual",
  down: "Somebody is on it",
} as const;

/** From 0 to 1, without 1. */
export type Random = () => number;

function pick<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error("There is nothing to pick from.");
  return one;
}

export function newOrder(board: Board, random: Random): BoardEvent {
  const highest = Math.max(1000, ...[...board.orders.keys()].map(Number).filter(Number.isFinite));
  const data = {
    id: String(highest + 1),
    customer: pick(CUSTOMERS, random),
    item: pick(ITEMS, random),
    cents: 500 + Math.floor(random() * 100) * 50,
    state: STEPS[0],
  };
  return { event: "data_update", data: { entity: "order", action: "created", data } };
}

/** Takes the oldest order that is not at its end a step on, and a shipped one off the board. */
export function orderOn(board: Board): BoardEvent | undefined {
  const oldest = [...board.orders.values()].sort((a, b) => a.at - b.at)[0];
  if (!oldest) return undefined;
  const next = STEPS[STEPS.indexOf(oldest.state as (typeof STEPS)[number]) + 1];
  const { id } = oldest;
  return next === undefined
    ? { event: "data_update", data: { entity: "order", action: "deleted", data: { id } } }
    : { event: "data_update", data: { entity: "order", action: "updated", data: { id, state: next } } };
}

/** Breaks a system, or repairs the one that is broken. */
export function systemChange(board: Board, random: Random): BoardEvent {
  const broken = [...board.systems.values()].find(({ status }) => status !== "ok");
  const system = broken?.name ?? pick(SYSTEMS, random);
  const status = broken ? "ok" : pick(["degraded", "down"] as const, random);
  return { event: "status_update", data: { system, status, message: STATUSES[status] } };
}

export function somethingDone(user: string, random: Random): BoardEvent {
  const activity = pick(
    ["opened the stock list", "answered a customer", "printed a label", "changed a price", "is on a break"],
    random,
  );
  return { event: "user_activity", data: { user, activity } };
}

/** What a busy shop would do next. */
export function somethingHappens(board: Board, user: string, random: Random): BoardEvent {
  const dice = random();
  if (board.orders.size < 3 || (dice < 0.3 && board.orders.size < 8)) return newOrder(board, random);
  if (dice < 0.75) return orderOn(board) ?? newOrder(board, random);
  return dice < 0.88 ? systemChange(board, random) : somethingDone(user, random);
}
