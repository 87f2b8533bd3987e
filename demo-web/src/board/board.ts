// The live board as a pure function of the events of its channel: orders, system status and activities. Independent of
// React and the client.

export const BOARD = "board";

/** The states of an order, in this sequence. */
export const STEPS = ["new", "paid", "packed", "shipped"] as const;

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly item: string;
  /** In cents. */
  readonly cents: number;
  readonly state: string;
  /** When it last changed, in ms since 1970. */
  readonly at: number;
  /** Whether it changed while the page was open. */
  readonly live: boolean;
}

export interface System {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly at: number;
  readonly live: boolean;
}

export interface Activity {
  readonly id: string;
  readonly user: string;
  readonly activity: string;
  readonly at: number;
  readonly live: boolean;
}

export interface Board {
  readonly orders: ReadonlyMap<string, Order>;
  readonly systems: ReadonlyMap<string, System>;
  /** Latest first. */
  readonly feed: readonly Activity[];
}

export const EMPTY_BOARD: Board = { orders: new Map(), systems: new Map(), feed: [] };

/** The parts of a channel entry that the board uses. */
export interface BoardEntry {
  readonly id: string;
  readonly at: number;
  readonly event?: string;
  readonly data: unknown;
}

/** Maximum number of lines in the feed. */
const FEED = 30;

type Fields = Readonly<Record<string, unknown>>;

const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Applies an entry to the board; `live` if it is not history. Returns the same board if the entry is irrelevant. */
export function boardAfter(board: Board, { id, at, event, data }: BoardEntry, live = false): Board {
  const payload = fields(data);
  switch (event) {
    case "data_update":
      return payload.entity === "order"
        ? { ...board, orders: ordersAfter(board.orders, payload, at, live) }
        : board;
    case "status_update": {
      const name = text(payload.system);
      const system = { name, status: text(payload.status), message: text(payload.message), at, live };
      return { ...board, systems: new Map(board.systems).set(name, system) };
    }
    case "user_activity": {
      const line = { id, user: text(payload.user), activity: text(payload.activity), at, live };
      return { ...board, feed: [line, ...board.feed].slice(0, FEED) };
    }
    default:
      return board;
  }
}

/** An `updated` event may hold the changed fields only. */
function ordersAfter(
  orders: Board["orders"],
  { action, data }: Fields,
  at: number,
  live: boolean,
): Board["orders"] {
  const change = fields(data);
  const id = text(change.id);
  if (id === "") return orders;
  const after = new Map(orders);
  if (action === "deleted") {
    after.delete(id);
    return after;
  }
  const before = orders.get(id);
  after.set(id, {
    id,
    customer: text(change.customer) || (before?.customer ?? ""),
    item: text(change.item) || (before?.item ?? ""),
    cents: typeof change.cents === "number" ? change.cents : (before?.cents ?? 0),
    state: text(change.state) || (before?.state ?? ""),
    at,
    live,
  });
  return after;
}
