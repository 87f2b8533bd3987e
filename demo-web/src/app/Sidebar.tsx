// The sidebar on wide screens, and the first page on narrow ones: the chats, the link to the board, and the user's own
// status.

import { ChartNoAxesColumnIcon, MessageSquareIcon, PlusIcon } from "lucide-react";
import { useState } from "react";
import { ChatList } from "../chats/ChatList";
import { Invitations } from "../chats/Invitations";
import { JoinOpenChat } from "../chats/JoinOpenChat";
import { NewChat } from "../chats/NewChat";
import { SecondWindowHint } from "../chats/SecondWindowHint";
import { useChatList } from "../messenger/context";
import { Bell } from "../notifications/Bell";
import { HREF_OF_BOARD, HREF_OF_CHATS, type Route } from "../page/route";
import { contactsOf } from "../people/contacts";
import type { Identity } from "../people/identity";
import { StatusMenu } from "../people/StatusMenu";
import { useOnline } from "../people/useOnline";

interface Props {
  me: Identity;
  route: Route;
  /** On narrow screens, the button that opens the fault panel; on wide ones it is elsewhere. */
  tools: React.ReactNode;
  onSignOut(): void;
}

export function Sidebar({ me, route, tools, onSignOut }: Props) {
  const all = useChatList();
  const online = useOnline();
  const [making, setMaking] = useState(false);
  const invitations = all.filter(({ role }) => role === "invited");
  const chats = all.filter(({ role }) => role !== "invited");
  const current = route.page === "chat" ? route.id : undefined;
  const unread = chats.reduce((sum, chat) => sum + chat.unread, 0);
  return (
    <>
      <header className="sidebar-head">
        <p className="wordmark">Everwire</p>
        <Bell />
        {tools}
      </header>
      <nav className="tabs" aria-label="Pages">
        <a href={HREF_OF_CHATS} aria-current={route.page === "board" ? undefined : "true"}>
          <MessageSquareIcon />
          Chats
          {unread > 0 && route.page === "board" && (
            <span className="badge">
              {unread}
              <span className="visually-hidden"> unread</span>
            </span>
          )}
        </a>
        <a href={HREF_OF_BOARD} aria-current={route.page === "board" ? "page" : undefined}>
          <ChartNoAxesColumnIcon />
          Live board
        </a>
      </nav>
      <nav className="chats" aria-labelledby="chats-title">
        <div className="chats-head">
          <h2 id="chats-title">Chats</h2>
          <button
            type="button"
            className="icon-button"
            aria-label="New chat"
            title="New chat (n)"
            aria-haspopup="dialog"
            onClick={() => setMaking(true)}
          >
            <PlusIcon />
          </button>
        </div>
        <Invitations chats={invitations} me={me.user} />
        <ChatList chats={chats} me={me.user} current={current} />
        {chats.length === 0 && (
          <div className="no-chats">
            <p className="muted">You have no chats yet. People who are offline get your messages later.</p>
            <button type="button" className="button primary" onClick={() => setMaking(true)}>
              Start a chat
            </button>
            <JoinOpenChat />
          </div>
        )}
      </nav>
      <SecondWindowHint me={me.user} />
      <StatusMenu me={me} onSignOut={onSignOut} />
      {making && <NewChat contacts={contactsOf(me.user, all, online)} onClose={() => setMaking(false)} />}
    </>
  );
}
