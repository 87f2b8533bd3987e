// The events that the operator publishes. Pure: randomness is passed in.

import { type Board, STEPS } from "./board";

export interface BoardEvent {
  readonly event: "data_update" | "status_update" | "user_activity";
  readonly data: object;
}

const CUSTOMERS = ["Ana Ruiz", "Ben Okafor", "Chiyo Sato", "Dag Lund", "Eve Moreau", "Femi Ade"] as const;
const ITEMS = ["Desk lamp", "Tea pot", "Bicycle bell", "Notebook", "Wool hat", "Fountain pen"] as const;
const SYSTEMS = ["shop", "payments", "mail", "search"] as const;
const STATUSES = {
  ok: "Operational",
  degraded: "Slower than usual",
  down: "Being fixed",
} as const;

/** Returns a number in [0, 1). */
export type Random = () => number;

function pick<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error("Cannot pick from an empty list.");
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

/** Advances the order that changed least recently; removes it if it was shipped already. */
export function advanceOrder(board: Board): BoardEvent | undefined {
  const oldest = [...board.orders.values()].sort((a, b) => a.at - b.at)[0];
  if (!oldest) return undefined;
  const next = STEPS[STEPS.indexOf(oldest.state as (typeof STEPS)[number]) + 1];
  const { id } = oldest;
  return next === undefined
    ? { event: "data_update", data: { entity: "order", action: "deleted", data: { id } } }
    : { event: "data_update", data: { entity: "order", action: "updated", data: { id, state: next } } };
}

/** Breaks a system, or repairs the broken one. */
export function toggleSystem(board: Board, random: Random): BoardEvent {
  const broken = [...board.systems.values()].find(({ status }) => status !== "ok");
  const system = broken?.name ?? pick(SYSTEMS, random);
  const status = broken ? "ok" : pick(["degraded", "down"] as const, random);
  return { event: "status_update", data: { system, status, message: STATUSES[status] } };
}

export function newActivity(user: string, random: Random): BoardEvent {
  const activity = pick(
    ["opened the stock list", "answered a customer", "printed a label", "changed a price", "is on a break"],
    random,
  );
  return { event: "user_activity", data: { user, activity } };
}

/** The next event of a busy shop. */
export function nextShopEvent(board: Board, user: string, random: Random): BoardEvent {
  const roll = random();
  if (board.orders.size < 3 || (roll < 0.3 && board.orders.size < 8)) return newOrder(board, random);
  if (roll < 0.75) return advanceOrder(board) ?? newOrder(board, random);
  return roll < 0.88 ? toggleSystem(board, random) : newActivity(user, random);
}
