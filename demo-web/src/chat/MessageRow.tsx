// One message. Own messages show their delivery status; a failed one shows the reason and can be sent again. When it is
// focused, R replies, E edits and Delete deletes; the menu offers the same.

import { EllipsisIcon, ReplyIcon } from "lucide-react";
import type { KeyboardEvent } from "react";
import { textOf } from "../chats/titles";
import { Menu } from "../controls/Menu";
import type { ChatRow } from "../messenger/messengerApi";
import { Initials } from "../people/Initials";
import { nameOf } from "../people/people";
import { actionsOf } from "./actions";
import { DeliveryStatus } from "./DeliveryStatus";
import { MessageText } from "./MessageText";
import type { RowContext } from "./rowContext";

interface Props {
  row: ChatRow;
  repliedTo: ChatRow | undefined;
  first: boolean;
  last: boolean;
  active: boolean;
  flash: boolean;
  onActive(id: string): void;
  onJump(id: string): void;
  context: RowContext;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export function MessageRow({ row, repliedTo, first, last, active, flash, onActive, onJump, context }: Props) {
  const { id, mine, status, deleted, edited, replyTo } = row;
  const author = mine ? "You" : nameOf({ user: row.user ?? "", name: row.name });
  const at = row.at ?? Date.now();
  const text = textOf(row.data);
  const actions = actionsOf(row, context);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions.find(({ keys }) => keys.includes(event.key));
    if (!action) return;
    event.preventDefault();
    action.onChoose();
  };

  return (
    <article
      className="message"
      aria-label={`${author}, ${TIME.format(at)}: ${deleted ? "deleted" : text}`}
      data-testid="message"
      data-focus={id}
      data-id={id}
      data-offset={row.offset}
      data-status={mine ? status : "received"}
      data-mine={mine}
      data-first={first}
      data-last={last}
      data-flash={flash}
      data-deleted={deleted}
      data-edited={edited}
      data-delivered={row.deliveredTo}
      data-read={row.readBy}
      tabIndex={active ? 0 : -1}
      onFocus={() => onActive(id)}
      onKeyDown={onKeyDown}
    >
      {!mine && first && <Initials user={row.user ?? ""} name={author} />}
      <div className="message-body">
        {first && !mine && !context.direct && (
          <p className="author">
            <bdi>{author}</bdi>
          </p>
        )}
        <div className="bubble-line">
          <div className="bubble">
            {replyTo !== undefined && !deleted && (
              <Quote
                of={repliedTo}
                me={context.me}
                onJump={() => onJump(replyTo)}
                tabIndex={active ? 0 : -1}
              />
            )}
            {deleted ? (
              <p className="text deleted">{mine ? "You deleted this message" : "This message was deleted"}</p>
            ) : (
              <p className="text" dir="auto">
                <MessageText text={text} />
              </p>
            )}
            <span className="meta">
              {edited && !deleted && <span>edited</span>}
              <time dateTime={new Date(at).toISOString()} title={MOMENT.format(at)}>
                {TIME.format(at)}
              </time>
              {mine && !deleted && <DeliveryStatus row={row} context={context} />}
            </span>
          </div>
          {actions.length > 0 && (
            <div className="message-tools">
              {context.canWrite && (
                <button
                  type="button"
                  className="icon-button small quick"
                  aria-label={`Reply to ${mine ? "yourself" : author}`}
                  title="Reply"
                  tabIndex={-1}
                  onClick={() => context.onReply(row)}
                >
                  <ReplyIcon />
                </button>
              )}
              <Menu
                label="Message actions"
                className="icon-button small"
                items={actions}
                tabIndex={active ? 0 : -1}
              >
                <EllipsisIcon />
              </Menu>
            </div>
          )}
        </div>
        {status === "failed" && (
          <div className="failed">
            <p>{row.error?.message ?? "This message was not sent."}</p>
            <button type="button" className="link" onClick={() => context.onRetry(row)}>
              Try again
            </button>
            <button type="button" className="link" onClick={() => context.onDiscard(row)}>
              Discard
            </button>
          </div>
        )}
      </div>
    </article>
  );
}

interface QuoteProps {
  of: ChatRow | undefined;
  me: string;
  tabIndex: number;
  onJump(): void;
}

/** The message that is replied to, in one line; a click scrolls to it. */
function Quote({ of, me, tabIndex, onJump }: QuoteProps) {
  const author = of && (of.mine || of.user === me ? "You" : nameOf({ user: of.user ?? "", name: of.name }));
  return (
    <button type="button" className="quote" data-testid="quote" tabIndex={tabIndex} onClick={onJump}>
      <span className="visually-hidden">In reply to </span>
      <strong>{author ?? "An earlier message"}</strong>
      <span className="quote-text" dir="auto">
        {of ? (of.deleted ? "deleted" : textOf(of.data)) : "Go to message"}
      </span>
    </button>
  );
}
