// A chat that is open: one's own to talk in, one to be invited to, or none of one's own.

import { useEffect, useState } from "react";
import type { Desk } from "../messenger/chatUiState";
import { useChatInfo, useMessenger } from "../messenger/context";
import { ChatRoomView } from "./ChatRoomView";
import { NotInside } from "./NotAMember";

interface Props {
  id: string;
  me: string;
  desk: Desk;
  wide: boolean;
  tools: React.ReactNode;
  /** The state of the connection, below the head. */
  connection: React.ReactNode;
}

export function ChatPage({ id, me, desk, wide, tools, connection }: Props) {
  const client = useMessenger();
  const chat = useChatInfo(id);
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let here = true;
    const done = () => here && setReady(true);
    client.chats.ready.then(done, done);
    return () => {
      here = false;
    };
  }, [client]);

  const inside = chat !== undefined && chat.role !== "invited";
  return inside ? (
    <ChatRoomView
      key={id}
      chat={chat}
      me={me}
      desk={desk}
      wide={wide}
      tools={tools}
      connection={connection}
    />
  ) : (
    <NotInside id={id} chat={chat} me={me} ready={ready} tools={tools} connection={connection} />
  );
}
