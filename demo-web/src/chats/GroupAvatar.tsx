// The avatar of a group: two members, one behind the other. Decorative.

import type { Chat } from "../messenger/messengerApi";
import { Initials } from "../people/Initials";
import { nameOf } from "../people/people";
import { othersOf } from "./titles";

export function GroupAvatar({ chat, me }: { chat: Chat; me: string }) {
  const [front, back] = othersOf(chat, me);
  return (
    <span className="avatar group-avatar" aria-hidden="true">
      {back && <Initials user={back.user} name={nameOf(back)} />}
      {front ? (
        <Initials user={front.user} name={nameOf(front)} />
      ) : (
        <Initials user={chat.id} name={chat.title ?? "?"} />
      )}
    </span>
  );
}
