// The chat list, latest activity first. Each chat is a link; arrow keys move between them.

import { moveFocus } from "../controls/rovingFocus";
import { useMessenger, useTypists } from "../messenger/context";
import type { Chat } from "../messenger/messengerApi";
import { HREF_OF_CHATS, hrefOfChat } from "../page/route";
import { useVisible } from "../page/useVisible";
import { Avatar } from "../people/Avatar";
import { firstName, nameOf } from "../people/people";
import { statusText, typingText } from "../people/statusText";
import { useNow } from "../people/useNow";
import { GroupAvatar } from "./GroupAvatar";
import { shortTime } from "./shortTime";
import { partnerIn, previewOf, titleOf } from "./titles";

interface Props {
  chats: readonly Chat[];
  me: string;
  /** The id of the open chat. */
  current: string | undefined;
}

export function ChatList({ chats, me, current }: Props) {
  const now = useNow();
  const stop = chats.some(({ id }) => id === current) ? current : chats[0]?.id;
  return (
    <ul className="chat-list" onKeyDown={(event) => moveFocus(event, "a")}>
      {chats.map((chat) => (
        <ChatItem
          key={chat.id}
          chat={chat}
          me={me}
          now={now}
          open={chat.id === current}
          tabIndex={chat.id === stop ? 0 : -1}
        />
      ))}
    </ul>
  );
}

interface ItemProps {
  chat: Chat;
  me: string;
  now: number;
  open: boolean;
  tabIndex: number;
}

function ChatItem({ chat, me, now, open, tabIndex }: ItemProps) {
  const typists = useTypists(useMessenger().room(chat.id));
  const typing = typingText(typists.map((typist) => firstName(nameOf(typist))));
  const partner = partnerIn(chat, me);
  const { id, at } = chat;
  // The visible chat does not count as unread, even before the server has confirmed that it was read.
  const visible = useVisible();
  const unread = open && visible ? 0 : chat.unread;
  return (
    <li data-testid="chat" data-chat={id} data-unread={unread}>
      <a
        className="chat-item"
        href={open ? HREF_OF_CHATS : hrefOfChat(id)}
        onClick={(event) => {
          // Clicking the open chat does not close it.
          if (open) event.preventDefault();
        }}
        aria-current={open ? "page" : undefined}
        tabIndex={tabIndex}
        data-unread={unread > 0}
      >
        {partner ? (
          <Avatar user={partner.user} name={nameOf(partner)} status={partner.status} />
        ) : (
          <GroupAvatar chat={chat} me={me} />
        )}
        <span className="chat-text">
          <span className="chat-title">
            <bdi className="name">{titleOf(chat, me)}</bdi>
            {partner && <span className="visually-hidden">, {statusText(partner, now)}</span>}
            <time dateTime={new Date(at).toISOString()}>{shortTime(at, now)}</time>
          </span>
          <span className="chat-last">
            <span className="preview" data-typing={typing !== ""} dir="auto">
              {typing || previewOf(chat, me)}
            </span>
            {unread > 0 && (
              <span className="badge" data-testid="unread">
                {unread >= 1000 ? "999+" : unread}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}
