// The actions on a message, and their keys.

import { CopyIcon, PencilIcon, ReplyIcon, Trash2Icon } from "lucide-react";
import { textOf } from "../chats/titles";
import type { MenuItem } from "../controls/Menu";
import type { ChatRow } from "../messenger/messengerApi";
import type { RowContext } from "./rowContext";

export interface MessageAction extends MenuItem {
  readonly keys: readonly string[];
}

/** Only stored messages have actions. */
export function actionsOf(row: ChatRow, context: RowContext): MessageAction[] {
  const { mine, deleted, offset } = row;
  if (deleted || offset === undefined) return [];
  const actions: MessageAction[] = [];
  const add = (
    name: string,
    keys: readonly string[],
    icon: MenuItem["icon"],
    onChoose: () => void,
    more = {},
  ) => actions.push({ name, keys, icon, onChoose, ...more });
  if (context.canWrite) add("Reply", ["r", "R"], <ReplyIcon />, () => context.onReply(row));
  if (context.canWrite && mine) add("Edit", ["e", "E"], <PencilIcon />, () => context.onEdit(row));
  add("Copy text", ["c", "C"], <CopyIcon />, () => void navigator.clipboard?.writeText(textOf(row.data)));
  if (context.canWrite && (mine || context.canDelete))
    add("Delete", ["Delete"], <Trash2Icon />, () => context.onDelete(row), { danger: true });
  return actions;
}
