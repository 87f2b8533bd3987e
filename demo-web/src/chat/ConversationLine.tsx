// One row of the conversation with what precedes it: a date, a gap, or the separator of unread messages. It shows a
// message or a system message.

import type { VirtualItem } from "@tanstack/react-virtual";
import { memo } from "react";
import type { ChatRow } from "../messenger/messengerApi";
import { ChangeLine } from "./ChangeLine";
import { DateSeparator } from "./DateSeparator";
import type { Line } from "./lines";
import { MessageRow } from "./MessageRow";
import { type MissingRange, missingReason, missingTitle } from "./missingMessages";
import type { RowContext } from "./rowContext";

interface Props {
  item: VirtualItem;
  measure(element: Element | null): void;
  line: Line;
  /** The message that this one replies to, if it is loaded. */
  repliedTo: ChatRow | undefined;
  /** The number of rows; -1 if it is unknown. */
  total: number;
  /** Whether this is the first row of the chat. */
  isStart: boolean;
  /** Whether the row is in the tab order. */
  active: boolean;
  flash: boolean;
  onActive(id: string): void;
  onJump(id: string): void;
  context: RowContext;
}

export const ConversationLine = memo(
  function ConversationLine(props: Props) {
    const { item, measure, line, repliedTo, total, isStart, active, flash, onActive, onJump, context } =
      props;
    const { row, day, missing, firstUnread } = line;
    return (
      <li
        ref={measure}
        className="line"
        data-index={item.index}
        data-first={line.first}
        style={{ transform: `translateY(${item.start}px)` }}
        aria-setsize={total}
        aria-posinset={item.index + 1}
      >
        {isStart && <p className="beginning muted">Start of the conversation</p>}
        {missing?.map((gap) => (
          <GapLine
            key={`${gap.reason}-${gap.from}-${gap.to}`}
            missing={gap}
            onLoadGap={() => context.onLoadGap(line.before)}
            onDismissGap={() => context.onDismissGap(line.before)}
          />
        ))}
        {day !== undefined && <DateSeparator at={day} />}
        {firstUnread && (
          <p className="first-unread" data-testid="first-unread">
            New
          </p>
        )}
        {row.event ? (
          <ChangeLine row={row} me={context.me} active={active} onActive={onActive} />
        ) : (
          <MessageRow
            row={row}
            repliedTo={repliedTo}
            first={line.first}
            last={line.last}
            active={active}
            flash={flash}
            onActive={onActive}
            onJump={onJump}
            context={context}
          />
        )}
      </li>
    );
  },
  // The virtualizer creates new items, and `lineAt` new lines, so compare their contents.
  (a, b) =>
    a.item.start === b.item.start &&
    a.item.index === b.item.index &&
    a.line.row === b.line.row &&
    a.line.first === b.line.first &&
    a.line.last === b.line.last &&
    a.line.firstUnread === b.line.firstUnread &&
    a.line.missing === b.line.missing &&
    sameDay(a.line.day, b.line.day) &&
    a.repliedTo === b.repliedTo &&
    a.total === b.total &&
    a.isStart === b.isStart &&
    a.active === b.active &&
    a.flash === b.flash &&
    a.onJump === b.onJump &&
    a.context === b.context,
);

function sameDay(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return new Date(a).toDateString() === new Date(b).toDateString();
}

interface GapProps {
  missing: MissingRange;
  onLoadGap(): void;
  onDismissGap(): void;
}

/** Messages that the server still has can be loaded; a gap of others can only be dismissed. */
function GapLine({ missing, onLoadGap, onDismissGap }: GapProps) {
  const stored = missing.reason === "too_far";
  return (
    <div className="missing" data-testid="missing" data-reason={missing.reason}>
      <p>
        <strong>{missingTitle(missing)} here.</strong> {missingReason(missing.reason)}
      </p>
      <button type="button" className="button small" onClick={stored ? onLoadGap : onDismissGap}>
        {stored ? "Load messages" : "Dismiss"}
      </button>
    </div>
  );
}
