// A chat that one is not in: invited, not known yet, or none of one's own.

import { BackIcon } from "../app/icons";
import { HREF_OF_CHATS, openChats } from "../app/route";
import { titleOf } from "../chats/titles";
import { useTask } from "../controls/useTask";
import { useMessenger } from "../messenger/context";
import type { Chat } from "../messenger/messengerApi";
import { nameOf } from "../people/people";
import { enumerated } from "../people/statusText";

interface Props {
  id: string;
  chat: Chat | undefined;
  me: string;
  /** Whether the server has said which chats are one's own. */
  ready: boolean;
  tools: React.ReactNode;
  connection: React.ReactNode;
}

export function NotInside({ id, chat, me, ready, tools, connection }: Props) {
  const client = useMessenger();
  const { busy, failed, run } = useTask();
  const invited = chat?.role === "invited";
  const title = invited ? titleOf(chat, me) : ready ? "No chat of yours" : "Chat";
  const decline = async () => {
    if (await run(() => client.room(id).leave())) openChats();
  };
  return (
    <>
      <header className="page-head">
        <a className="icon-button" href={HREF_OF_CHATS} aria-label="All chats">
          <BackIcon />
        </a>
        <div className="page-title">
          <h1>{title}</h1>
        </div>
        {tools}
      </header>
      {connection}
      <div className="empty" data-testid="outside">
        {!ready && !invited && <p className="quiet">Fetching the conversation…</p>}
        {invited && (
          <>
            <h2>You are invited</h2>
            <p className="quiet">
              In it: {enumerated(chat.members.filter(({ role }) => role !== "invited").map(nameOf), 6)}. What
              they wrote is yours to read once you are in.
            </p>
          </>
        )}
        {ready && !invited && (
          <>
            <h2>You are not in this chat</h2>
            <p className="quiet">
              If it is open to everybody, you can join it. Else somebody in it has to invite you.
            </p>
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
