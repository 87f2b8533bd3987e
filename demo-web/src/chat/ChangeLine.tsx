// What happened to the chat: somebody came, left, was invited, renamed it.

import type { ChatRow } from "../messenger/messengerApi";
import { changeWords } from "./changes";

interface Props {
  row: ChatRow;
  me: string;
  active: boolean;
  onActive(id: string): void;
}

export function ChangeLine({ row, me, active, onActive }: Props) {
  const words = changeWords(row.data, { user: row.user ?? "", name: row.name }, me);
  if (words === "") return null;
  return (
    <p
      className="change"
      data-testid="change"
      data-focus={row.id}
      tabIndex={active ? 0 : -1}
      onFocus={() => onActive(row.id)}
    >
      {words}
    </p>
  );
}
