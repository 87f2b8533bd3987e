// The page of a chat: the room for members, otherwise an invitation or a way to join.

import { useEffect, useState } from "react";
import { useChatInfo, useMessenger } from "../messenger/context";
import { ChatRoomView } from "./ChatRoomView";
import type { ChatUiState } from "./chatUiState";
import { NotAMember } from "./NotAMember";

interface Props {
  id: string;
  me: string;
  uiState: ChatUiState;
  wide: boolean;
  tools: React.ReactNode;
  /** The connection indicator, below the header. */
  connection: React.ReactNode;
}

export function ChatPage({ id, me, uiState, wide, tools, connection }: Props) {
  const client = useMessenger();
  const chat = useChatInfo(id);
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let mounted = true;
    const done = () => mounted && setReady(true);
    client.chats.ready.then(done, done);
    return () => {
      mounted = false;
    };
  }, [client]);

  const inside = chat !== undefined && chat.role !== "invited";
  return inside ? (
    <ChatRoomView
      key={id}
      chat={chat}
      me={me}
      uiState={uiState}
      wide={wide}
      tools={tools}
      connection={connection}
    />
  ) : (
    <NotAMember id={id} chat={chat} me={me} ready={ready} tools={tools} connection={connection} />
  );
}
