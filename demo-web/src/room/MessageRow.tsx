// One message. Our own say how far they are; a failed one says why, and can be tried again. Drawn again only when its entry
// changes: a room may have thousands.

import { memo } from "react";
import { CheckIcon, ClockIcon, WarnIcon } from "../app/icons";
import { Monogram } from "../app/Monogram";
import { piecesOf } from "./links";
import type { EntryStatus, MessageEntry } from "./log";

interface Props {
  entry: MessageEntry;
  mine: boolean;
  first: boolean;
  last: boolean;
  onAgain(entry: MessageEntry): void;
  onDiscard(entry: MessageEntry): void;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export const MessageRow = memo(function MessageRow({ entry, mine, first, last, onAgain, onDiscard }: Props) {
  const { status } = entry;
  return (
    <li
      className="message"
      data-testid="message"
      data-id={entry.id}
      data-status={status}
      data-mine={mine}
      data-first={first}
      data-last={last}
    >
      {!mine && first && <Monogram user={entry.user} name={entry.name} />}
      <div className="message-body">
        <p className={first && !mine ? "author" : "hidden"}>{mine ? "You" : <bdi>{entry.name}</bdi>}</p>
        <div className="bubble">
          <p className="text" dir="auto">
            <Text text={entry.text} />
          </p>
          <span className="meta">
            <time dateTime={new Date(entry.at).toISOString()} title={MOMENT.format(entry.at)}>
              {TIME.format(entry.at)}
            </time>
            {mine && <Mark status={status} />}
          </span>
        </div>
        {status === "failed" && (
          <div className="failed">
            <p>{entry.error ?? "This message was not stored."}</p>
            <button type="button" className="link" onClick={() => onAgain(entry)}>
              Try again
            </button>
            <button type="button" className="link" onClick={() => onDiscard(entry)}>
              Discard
            </button>
          </div>
        )}
      </div>
    </li>
  );
});

function Text({ text }: { text: string }) {
  return piecesOf(text).map((piece, index) =>
    "href" in piece ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move
      <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
        {piece.text}
      </a>
    ) : (
      piece.text
    ),
  );
}

const MARKS: Record<Exclude<EntryStatus, "received">, { icon: () => React.JSX.Element; says: string }> = {
  queued: { icon: ClockIcon, says: "Waiting for the connection" },
  sent: { icon: ClockIcon, says: "Sending" },
  stored: { icon: CheckIcon, says: "Stored" },
  failed: { icon: WarnIcon, says: "Failed" },
};

function Mark({ status }: { status: EntryStatus }) {
  if (status === "received") return null;
  const { icon: Icon, says } = MARKS[status];
  return (
    <span className="mark" title={says}>
      <Icon />
      <span className="hidden">{says}</span>
    </span>
  );
}
