// The picture of a group: two of those in it, one behind the other. Decoration.

import type { Chat } from "../messenger/messengerApi";
import { Monogram } from "../people/Initials";
import { nameOf } from "../people/people";
import { othersOf } from "./titles";

export function GroupFace({ chat, me }: { chat: Chat; me: string }) {
  const [front, back] = othersOf(chat, me);
  return (
    <span className="face group-face" aria-hidden="true">
      {back && <Monogram user={back.user} name={nameOf(back)} />}
      {front ? (
        <Monogram user={front.user} name={nameOf(front)} />
      ) : (
        <Monogram user={chat.id} name={chat.title ?? "?"} />
      )}
    </span>
  );
}
