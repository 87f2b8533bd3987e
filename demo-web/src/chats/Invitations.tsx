// Invitations to chats, to accept or decline.

import { useTask } from "../controls/useTask";
import { useMessenger } from "../messenger/context";
import type { Chat } from "../messenger/messengerApi";
import { openChat } from "../page/route";
import { sizeOf, titleOf } from "./titles";

export function Invitations({ chats, me }: { chats: readonly Chat[]; me: string }) {
  if (chats.length === 0) return null;
  return (
    <section className="invitations" aria-labelledby="invitations-title">
      <h2 id="invitations-title">Invitations</h2>
      <ul>
        {chats.map((chat) => (
          <Invitation key={chat.id} chat={chat} me={me} />
        ))}
      </ul>
    </section>
  );
}

function Invitation({ chat, me }: { chat: Chat; me: string }) {
  const client = useMessenger();
  const { busy, failed, run } = useTask();
  const title = titleOf(chat, me);
  const accept = async () => {
    if (await run(() => client.chats.join(chat.id))) openChat(chat.id);
  };
  return (
    <li className="invitation" data-testid="invitation" data-chat={chat.id}>
      <p>
        You are invited to <strong>{title}</strong>
        <span className="muted"> · {sizeOf(chat) === 1 ? "1 person" : `${sizeOf(chat)} people`}</span>
      </p>
      <button
        type="button"
        className="button small primary"
        aria-label={`Join ${title}`}
        disabled={busy}
        onClick={accept}
      >
        Join
      </button>
      <button
        type="button"
        className="button small"
        aria-label={`Decline ${title}`}
        disabled={busy}
        onClick={() => void run(() => client.room(chat.id).leave())}
      >
        Decline
      </button>
      {failed && <p role="alert">{failed}</p>}
    </li>
  );
}
