// What a room shows, as a pure function of what the channel said: the entries of its log, the holes that were declared, and
// our own messages that are still under way. It knows neither React nor the client.

/** How far a message is. `received` is somebody's message; the others are our own. */
export type EntryStatus = "received" | "queued" | "sent" | "stored" | "failed";

export interface MessageEntry {
  readonly kind: "message";
  readonly id: string;
  readonly user: string;
  readonly name: string;
  /** ms since 1970: the server's time once stored, ours until then. */
  readonly at: number;
  readonly text: string;
  readonly status: EntryStatus;
  /** Its place in the log, once stored. */
  readonly offset?: number;
  /** Why it failed, for a person. */
  readonly error?: string;
}

/** Messages that can no longer be had. */
export interface MissingEntry {
  readonly kind: "missing";
  readonly key: string;
  readonly from: number;
  readonly to: number;
  /** `trimmed`, `too_far` or `epoch`. */
  readonly reason: string;
}

export type Entry = MessageEntry | MissingEntry;

export interface RoomLog {
  /** In the order of the log. */
  readonly delivered: readonly Entry[];
  /** Our own that were not delivered back to us yet, in the order in which they were sent. */
  readonly underWay: readonly MessageEntry[];
  /** How many stored messages come before the first one shown; undefined until subscribed. */
  readonly older: number | undefined;
  /** The end of the log when we came: up to here it is history, and nothing to announce. */
  readonly head: number | undefined;
  /** How many messages of others came after `head`. Only grows. */
  readonly fresh: number;
  /** Whether everything that was there when we came has arrived. */
  readonly caughtUp: boolean;
}

export type RoomAction =
  | { type: "subscribed"; offset: number; head: number; afresh: boolean }
  | { type: "message"; mine: boolean; message: Omit<MessageEntry, "kind" | "status"> & { offset: number } }
  | { type: "gap"; from: number; to: number; reason: string }
  | { type: "sending"; sending: Omit<MessageEntry, "kind"> }
  | { type: "discarded"; id: string };

export const EMPTY_LOG: RoomLog = {
  delivered: [],
  underWay: [],
  older: undefined,
  head: undefined,
  fresh: 0,
  caughtUp: false,
};

/** Most entries that are shown. The oldest go first: without virtualised rows, a page slows down with many thousands. */
export const MAX_SHOWN = 2000;

export function roomLog(log: RoomLog, action: RoomAction): RoomLog {
  switch (action.type) {
    case "subscribed":
      return subscribed(log, action);
    case "message":
      return delivered(log, action.message, action.mine);
    case "gap":
      return gap(log, action.from, action.to, action.reason);
    case "sending":
      return sending(log, action.sending);
    case "discarded":
      return { ...log, underWay: log.underWay.filter((entry) => entry.id !== action.id) };
  }
}

/** `afresh`: not the continuation of what is shown, so it takes its place. */
function subscribed(
  before: RoomLog,
  { offset, head, afresh }: { offset: number; head: number; afresh: boolean },
): RoomLog {
  const log = afresh ? { ...EMPTY_LOG, underWay: before.underWay } : before;
  return {
    ...log,
    // What is stored before the place from which we are served will not come any more.
    underWay: log.underWay.filter(
      (entry) => entry.status !== "stored" || entry.offset === undefined || entry.offset > offset,
    ),
    older: log.older ?? offset,
    head: log.head ?? head,
    caughtUp: log.caughtUp || offset >= head,
  };
}

function delivered(
  log: RoomLog,
  message: Omit<MessageEntry, "kind" | "status"> & { offset: number },
  mine: boolean,
): RoomLog {
  const entry: MessageEntry = { kind: "message", ...message, status: mine ? "stored" : "received" };
  const all = [...log.delivered, entry];
  const cut = Math.max(0, all.length - MAX_SHOWN);
  const isNew = log.head !== undefined && message.offset > log.head;
  return {
    ...log,
    delivered: cut > 0 ? all.slice(cut) : all,
    underWay: log.underWay.filter(({ id }) => id !== message.id),
    older: (log.older ?? 0) + cut,
    fresh: isNew && !mine ? log.fresh + 1 : log.fresh,
    caughtUp: log.caughtUp || (log.head !== undefined && message.offset >= log.head),
  };
}

function gap(log: RoomLog, from: number, to: number, reason: string): RoomLog {
  const missing: MissingEntry = { kind: "missing", key: `${reason}-${from}-${to}`, from, to, reason };
  const inside = (entry: MessageEntry) =>
    entry.status === "stored" && (reason === "epoch" || (entry.offset !== undefined && entry.offset <= to));
  // Ours that are in the hole are known all the same: they stay, behind the line that says what is missing.
  return {
    ...log,
    // In another log, offsets begin anew: the `subscribed` that follows says where.
    head: reason === "epoch" ? undefined : log.head,
    delivered: [...log.delivered, missing, ...log.underWay.filter(inside)],
    underWay: log.underWay.filter((entry) => !inside(entry)),
  };
}

function sending(log: RoomLog, sending: Omit<MessageEntry, "kind">): RoomLog {
  const entry: MessageEntry = { kind: "message", ...sending };
  if (log.underWay.some(({ id }) => id === entry.id)) {
    return {
      ...log,
      underWay: log.underWay.map((old) => (old.id === entry.id ? { ...entry, at: old.at } : old)),
    };
  }
  // The echo was faster than the ack: the row is complete.
  if (log.delivered.some((old) => old.kind === "message" && old.id === entry.id)) return log;
  return { ...log, underWay: [...log.underWay, entry] };
}
