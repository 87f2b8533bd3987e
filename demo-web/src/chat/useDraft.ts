// The draft of a chat: starts replies and edits, and sends the text.

import { useCallback, useMemo, useSyncExternalStore } from "react";
import { textOf } from "../chats/titles";
import type { ChatRow, Room } from "../messenger/messengerApi";
import { type Draft, type Drafts, EMPTY } from "./drafts";

export interface DraftActions {
  readonly draft: Draft;
  setText(text: string): void;
  reply(row: ChatRow): void;
  edit(row: ChatRow): void;
  cancel(): void;
  submit(text: string): void;
}

export function useDraft(
  id: string,
  room: Room,
  drafts: Drafts,
  onError: (error: unknown) => void,
): DraftActions {
  const draft = useSyncExternalStore(
    useCallback((listener) => drafts.subscribe(listener), [drafts]),
    () => drafts.get(id),
  );
  const actions = useMemo(() => {
    const set = (next: Draft) => drafts.set(id, next);
    return {
      setText(text: string) {
        set({ ...drafts.get(id), text });
        if (text.trim() === "") room.stopTyping();
        else room.typing();
      },
      reply(row: ChatRow) {
        const { text, editing } = drafts.get(id);
        set({ text: editing === undefined ? text : "", replyTo: row.id });
      },
      edit: (row: ChatRow) => set({ text: textOf(row.data), editing: row.id }),
      cancel() {
        const { text, editing } = drafts.get(id);
        set({ text: editing === undefined ? text : "" });
        room.stopTyping();
      },
      submit(text: string) {
        const { editing, replyTo } = drafts.get(id);
        set(EMPTY);
        room.stopTyping();
        // The message's row shows whether sending succeeds; an edit has no row of its own.
        if (editing !== undefined) room.edit(editing, { text }).then(undefined, onError);
        else room.send({ text }, replyTo === undefined ? {} : { replyTo }).then(undefined, () => undefined);
      },
    };
  }, [id, room, drafts, onError]);
  return { draft, ...actions };
}
