// For new users: joins the public group.

import { useTask } from "../controls/useTask";
import { useMessenger } from "../messenger/context";
import { openChat } from "../page/route";
import { OPEN_CHAT } from "../people/people";

export function JoinOpenChat() {
  const client = useMessenger();
  const { busy, failed, run } = useTask();
  const join = async () => {
    if (await run(() => client.chats.join(OPEN_CHAT.id))) openChat(OPEN_CHAT.id);
  };
  return (
    <>
      <button type="button" className="button" disabled={busy} onClick={() => void join()}>
        Join the {OPEN_CHAT.title}
      </button>
      {failed && <p role="alert">{failed}</p>}
    </>
  );
}
