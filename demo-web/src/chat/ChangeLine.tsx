// A system message: somebody joined, left, was invited, or renamed the chat.

import type { ChatRow } from "../messenger/messengerApi";
import { changeText } from "./changes";

interface Props {
  row: ChatRow;
  me: string;
  active: boolean;
  onActive(id: string): void;
}

export function ChangeLine({ row, me, active, onActive }: Props) {
  const text = changeText(row.data, { user: row.user ?? "", name: row.name }, me);
  if (text === "") return null;
  return (
    <p
      className="change"
      data-testid="change"
      data-focus={row.id}
      tabIndex={active ? 0 : -1}
      onFocus={() => onActive(row.id)}
    >
      {text}
    </p>
  );
}
