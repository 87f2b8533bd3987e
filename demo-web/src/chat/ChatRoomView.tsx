// A chat of which the user is a member: header, conversation, typing indicator, and composer. The room is open while
// this is mounted.

import { useCallback, useEffect, useMemo, useState } from "react";
import { othersOf, sizeOf, textOf, titleOf } from "../chats/titles";
import { useHasOlder, useMessenger, usePresentMembers, useRows } from "../messenger/context";
import type { Chat, ChatRow } from "../messenger/messengerApi";
import { nameOf } from "../people/people";
import { ChatDetails } from "./ChatDetails";
import { ChatHeader } from "./ChatHeader";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import type { ChatUiState } from "./chatUiState";
import { receiptText } from "./deliveryState";
import { EmptyChat } from "./EmptyChat";
import type { RowContext } from "./rowContext";
import { TypingLine } from "./TypingLine";
import { useDraft } from "./useDraft";
import { useGaps } from "./useGaps";

/** How many older messages are loaded at once. */
const PAGE = 200;

interface Props {
  chat: Chat;
  me: string;
  uiState: ChatUiState;
  wide: boolean;
  tools: React.ReactNode;
  connection: React.ReactNode;
}

export function ChatRoomView({ chat, me, uiState, wide, tools, connection }: Props) {
  const { id, kind, role } = chat;
  const room = useMessenger().room(id);
  const all = useRows(room);
  // In a direct chat, system messages carry no information.
  const rows = useMemo(() => (kind === "direct" ? all.filter(({ event }) => !event) : all), [all, kind]);
  const hasOlder = useHasOlder(room);
  const here = usePresentMembers(room);
  const { gaps, load, dismiss } = useGaps(room);
  const [opened, setOpened] = useState(false);
  const [error, setError] = useState<string>();
  const [details, setDetails] = useState(false);
  // Where the unread messages began when the chat was opened: the separator stays there while the user reads.
  const [readBefore] = useState(() => (chat.unread > 0 ? chat.read : undefined));
  const [seenBefore] = useState(() => Math.max(room.channel.receipts.get(me)?.read ?? 0, chat.read));
  const fail = useCallback((error: unknown) => {
    setError(error instanceof Error ? error.message : String(error));
  }, []);

  const open = useCallback(() => {
    setError(undefined);
    return room.open().then(() => setOpened(true), fail);
  }, [room, fail]);
  useEffect(() => {
    void open();
    return () => {
      room.stopTyping();
      room.close();
    };
  }, [room, open]);

  const { draft, setText, reply, edit, cancel, submit } = useDraft(id, room, uiState.drafts, fail);
  const title = titleOf(chat, me);
  const canWrite = role === "owner" || role === "member";
  const others = Math.max(0, sizeOf(chat) - 1);

  const names = othersOf(chat, me)
    .filter((member) => member.role !== "invited")
    .map((member) => `${member.user}\n${nameOf(member)}`)
    .join("\n\n");

  const context = useMemo((): RowContext => {
    const people = names.split("\n\n").map((one) => {
      const [user = "", name = ""] = one.split("\n");
      return { user, name };
    });
    return {
      me,
      others,
      direct: kind === "direct",
      canWrite,
      canDelete: role === "owner" && kind === "group",
      receiptText: (offset) => receiptText(offset, room.channel.receipts, people),
      onReply: reply,
      onEdit: edit,
      onDelete: (row) => void room.delete(row.id).then(undefined, fail),
      onRetry: (row) => {
        room.messages.dismiss(row.id);
        room
          .send(row.data, row.replyTo === undefined ? {} : { replyTo: row.replyTo })
          .then(undefined, () => undefined);
      },
      onDiscard: (row) => room.messages.dismiss(row.id),
      onLoadGap: (after) => void load(after).catch(fail),
      onDismissGap: dismiss,
    };
  }, [me, others, kind, canWrite, role, room, names, reply, edit, fail, load, dismiss]);

  const about = aboutOf(rows, draft.editing ?? draft.replyTo);
  const editLast = () => {
    const last = rows.findLast((row) => row.mine && row.offset !== undefined && !row.event && !row.deleted);
    if (last) edit(last);
  };

  return (
    <>
      <ChatHeader
        chat={chat}
        me={me}
        here={here}
        wide={wide}
        onDetails={() => setDetails(true)}
        tools={tools}
      />
      {connection}
      <div className="conversation-frame">
        {error && (
          <div className="error" role="alert">
            <p>{error}</p>
            <button type="button" className="button small" onClick={() => void open()}>
              Try again
            </button>
          </div>
        )}
        <Conversation
          id={id}
          title={title}
          rows={rows}
          hasOlder={hasOlder}
          missing={gaps}
          readBefore={readBefore}
          seenBefore={seenBefore}
          scrollPositions={uiState.scrollPositions}
          context={context}
          loadOlder={useCallback(() => room.messages.loadOlder(PAGE), [room])}
          onRead={useCallback((offset: number) => room.markRead(offset), [room])}
          empty={opened ? <EmptyChat chat={chat} me={me} /> : <p className="muted">Loading messages…</p>}
        />
      </div>
      <footer className="page-foot">
        <TypingLine room={room} />
        {canWrite ? (
          <Composer
            title={title}
            draft={draft}
            about={about}
            onText={setText}
            onSubmit={submit}
            onCancel={cancel}
            onEditLast={editLast}
          />
        ) : (
          <p className="read-only muted">You can read this chat, but not write to it.</p>
        )}
      </footer>
      {details && <ChatDetails chat={chat} me={me} room={room} onClose={() => setDetails(false)} />}
    </>
  );
}

function aboutOf(rows: readonly ChatRow[], id: string | undefined) {
  if (id === undefined) return undefined;
  const row = rows.findLast((row) => row.id === id);
  if (!row) return { author: "an earlier message", text: "" };
  return {
    author: row.mine ? "yourself" : nameOf({ user: row.user ?? "", name: row.name }),
    text: textOf(row.data),
  };
}
