// One line of the conversation in its place: what stands before it (a day, what is missing, where the new ones begin), and the
// message, or what happened to the chat.

import type { VirtualItem } from "@tanstack/react-virtual";
import { memo } from "react";
import type { ChatRow } from "../messenger/messengerApi";
import { ChangeLine } from "./ChangeLine";
import { DayLine } from "./DateSeparator";
import type { Line } from "./lines";
import { MessageRow } from "./MessageRow";
import { type Missing, missingTitle, whyMissing } from "./missingMessages";
import type { RowContext } from "./rowContext";

interface Props {
  item: VirtualItem;
  measure(element: Element | null): void;
  line: Line;
  /** The message that it answers, if that is there. */
  answered: ChatRow | undefined;
  /** How many there are; -1 if nobody knows. */
  of: number;
  /** Whether this is the first of all. */
  begins: boolean;
  /** Whether Tab leads here. */
  active: boolean;
  flash: boolean;
  onActive(id: string): void;
  onJump(id: string): void;
  context: RowContext;
}

export const ConversationLine = memo(
  function ConversationLine(props: Props) {
    const { item, measure, line, answered, of, begins, active, flash, onActive, onJump, context } = props;
    const { row, day, missing, fresh } = line;
    return (
      <li
        ref={measure}
        className="line"
        data-index={item.index}
        data-first={line.first}
        style={{ transform: `translateY(${item.start}px)` }}
        aria-setsize={of}
        aria-posinset={item.index + 1}
      >
        {begins && <p className="beginning quiet">This is where it begins.</p>}
        {missing?.map((hole) => (
          <MissingLine
            key={`${hole.reason}-${hole.from}-${hole.to}`}
            missing={hole}
            onFill={() => context.onFill(line.before)}
            onForget={() => context.onForget(line.before)}
          />
        ))}
        {day !== undefined && <DayLine at={day} />}
        {fresh && (
          <p className="fresh" data-testid="fresh">
            New
          </p>
        )}
        {row.event ? (
          <ChangeLine row={row} me={context.me} active={active} onActive={onActive} />
        ) : (
          <MessageRow
            row={row}
            answered={answered}
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
  // The virtualiser makes new items, and `lineAt` new lines: what counts is what is in them.
  (a, b) =>
    a.item.start === b.item.start &&
    a.item.index === b.item.index &&
    a.line.row === b.line.row &&
    a.line.first === b.line.first &&
    a.line.last === b.line.last &&
    a.line.fresh === b.line.fresh &&
    a.line.missing === b.line.missing &&
    sameDay(a.line.day, b.line.day) &&
    a.answered === b.answered &&
    a.of === b.of &&
    a.begins === b.begins &&
    a.active === b.active &&
    a.flash === b.flash &&
    a.onJump === b.onJump &&
    a.context === b.context,
);

function sameDay(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return new Date(a).toDateString() === new Date(b).toDateString();
}

interface MissingProps {
  missing: Missing;
  onFill(): void;
  onForget(): void;
}

/** What the server still has can be fetched; of the rest one can only take note. */
function MissingLine({ missing, onFill, onForget }: MissingProps) {
  const stored = missing.reason === "too_far";
  return (
    <div className="missing" data-testid="missing" data-reason={missing.reason}>
      <p>
        <strong>{missingTitle(missing)} here.</strong> {whyMissing(missing.reason)}
      </p>
      <button type="button" className="button small" onClick={stored ? onFill : onForget}>
        {stored ? "Fetch them" : "Take note"}
      </button>
    </div>
  );
}
