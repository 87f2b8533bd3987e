// The page of a chat that the user is not a member of: invited, unknown, or still loading.

import { ChevronLeftIcon } from "lucide-react";
import { titleOf } from "../chats/titles";
import { useTask } from "../controls/useTask";
import { useMessenger } from "../messenger/context";
import type { Chat } from "../messenger/messengerApi";
import { HREF_OF_CHATS, openChats } from "../page/route";
import { nameOf } from "../people/people";
import { joinNames } from "../people/statusText";

interface Props {
  id: string;
  chat: Chat | undefined;
  me: string;
  /** Whether the chat list has been loaded. */
  ready: boolean;
  tools: React.ReactNode;
  connection: React.ReactNode;
}

export function NotAMember({ id, chat, me, ready, tools, connection }: Props) {
  const client = useMessenger();
  const { busy, failed, run } = useTask();
  const invited = chat?.role === "invited";
  const title = invited ? titleOf(chat, me) : ready ? "Not your chat" : "Chat";
  const decline = async () => {
    if (await run(() => client.room(id).leave())) openChats();
  };
  return (
    <>
      <header className="page-head">
        <a className="icon-button" href={HREF_OF_CHATS} aria-label="All chats">
          <ChevronLeftIcon />
        </a>
        <div className="page-title">
          <h1>{title}</h1>
        </div>
        {tools}
      </header>
      {connection}
      <div className="empty" data-testid="not-a-member">
        {!ready && !invited && <p className="muted">Loading messages…</p>}
        {invited && (
          <>
            <h2>You are invited</h2>
            <p className="muted">
              Members: {joinNames(chat.members.filter(({ role }) => role !== "invited").map(nameOf), 6)}. What
              they wrote is yours to read once you are in.
            </p>
          </>
        )}
        {ready && !invited && (
          <>
            <h2>You are not a member of this chat</h2>
            <p className="muted">If it is public, you can join it. Otherwise a member has to invite you.</p>
          </>
        )}
        {(invited || ready) && (
          <p className="empty-actions">
            <button
              type="button"
              className="button primary"
              disabled={busy}
              onClick={() => void run(() => client.chats.join(id))}
            >
              Join
            </button>
            {invited && (
              <button type="button" className="button" disabled={busy} onClick={() => void decline()}>
                Decline
              </button>
            )}
          </p>
        )}
        {failed && <p role="alert">{failed}</p>}
      </div>
    </>
  );
}
