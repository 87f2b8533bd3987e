// The conversation: history first, then what comes, then our own that is still under way. Stays at the end while the reader
// is there, and says how much is new when not.

import { useEffect, useMemo, useRef } from "react";
import { DownIcon } from "../app/icons";
import type { MessageEntry, MissingEntry, RoomLog } from "./log";
import { MessageRow } from "./MessageRow";
import { missingTitle, whyMissing } from "./missing";
import { type Row, rowsOf } from "./rows";
import { useStickyScroll } from "./useStickyScroll";

interface Props {
  room: string;
  me: string;
  log: RoomLog;
  onAgain(entry: MessageEntry): void;
  onDiscard(entry: MessageEntry): void;
  onReload(): void;
  /** What to show when nothing was said yet. */
  empty: React.ReactNode;
}

export function MessageList({ room, me, log, onAgain, onDiscard, onReload, empty }: Props) {
  const { box, content, atEnd, toEnd } = useStickyScroll();
  const rows = useMemo(
    () => rowsOf([...log.delivered, ...log.underWay], me),
    [log.delivered, log.underWay, me],
  );

  // How many had come when the reader was last at the end.
  const read = useRef(log.fresh);
  if (atEnd) read.current = log.fresh;
  const unread = Math.max(0, log.fresh - read.current);

  // Whoever writes wants to see it.
  const written = useRef(0);
  useEffect(() => {
    if (log.underWay.length > written.current) toEnd();
    written.current = log.underWay.length;
  }, [log.underWay.length, toEnd]);

  const nothing = rows.length === 0 && log.caughtUp;

  return (
    <div className="conversation">
      <div
        className="scroll"
        ref={box}
        role="log"
        aria-live="off"
        aria-label={`Messages in ${room}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable with the keyboard
        tabIndex={0}
      >
        {nothing && <div className="empty">{empty}</div>}
        {!log.caughtUp && rows.length === 0 && <p className="loading quiet">Fetching the conversation…</p>}
        {rows.length > 0 && log.older !== undefined && log.older > 0 && (
          <p className="older quiet">Older messages are not shown here.</p>
        )}
        <ol className="messages" ref={content}>
          {rows.map((row) => (
            <RowView key={row.key} row={row} onAgain={onAgain} onDiscard={onDiscard} onReload={onReload} />
          ))}
        </ol>
      </div>
      {!atEnd && (
        <button type="button" className="to-end" onClick={toEnd}>
          <DownIcon />
          {unread === 0 ? "To the latest" : unread === 1 ? "1 new message" : `${unread} new messages`}
        </button>
      )}
    </div>
  );
}

interface RowProps extends Pick<Props, "onAgain" | "onDiscard" | "onReload"> {
  row: Row;
}

function RowView({ row, onAgain, onDiscard, onReload }: RowProps) {
  switch (row.kind) {
    case "day":
      return (
        <li className="day">
          <h2>{dayName(row.at)}</h2>
        </li>
      );
    case "missing":
      return <MissingRow missing={row} onReload={onReload} />;
    case "message":
      return (
        <MessageRow
          entry={row.entry}
          mine={row.mine}
          first={row.first}
          last={row.last}
          onAgain={onAgain}
          onDiscard={onDiscard}
        />
      );
  }
}

function MissingRow({ missing, onReload }: { missing: MissingEntry; onReload(): void }) {
  return (
    <li className="missing" data-testid="missing" data-reason={missing.reason}>
      <p>
        <strong>{missingTitle(missing)} here.</strong> {whyMissing(missing.reason)}
      </p>
      <button type="button" className="button small" onClick={onReload}>
        Reload the room
      </button>
    </li>
  );
}

const THIS_YEAR = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const OTHER_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const DAY_MS = 24 * 60 * 60 * 1000;

function dayName(at: number): string {
  const day = new Date(at);
  const now = new Date();
  if (day.toDateString() === now.toDateString()) return "Today";
  if (day.toDateString() === new Date(now.getTime() - DAY_MS).toDateString()) return "Yesterday";
  return day.getFullYear() === now.getFullYear() ? THIS_YEAR.format(day) : OTHER_YEAR.format(day);
}
