// The header of a chat: title, status of the other person, who has the chat open, and the button for its details.

import { ChevronLeftIcon, UsersIcon } from "lucide-react";
import { GroupAvatar } from "../chats/GroupAvatar";
import { partnerIn, sizeOf, titleOf } from "../chats/titles";
import type { Chat, Member } from "../messenger/messengerApi";
import { HREF_OF_CHATS } from "../page/route";
import { Avatar } from "../people/Avatar";
import { Initials } from "../people/Initials";
import { firstName, nameOf } from "../people/people";
import { joinNames, statusText } from "../people/statusText";
import { useNow } from "../people/useNow";

interface Props {
  chat: Chat;
  me: string;
  here: readonly Member[];
  wide: boolean;
  onDetails(): void;
  /** Rendered at the end. */
  tools: React.ReactNode;
}

/** How many of the present members are shown as initials. */
const SHOWN = 4;

export function ChatHeader({ chat, me, here, wide, onDetails, tools }: Props) {
  const now = useNow();
  const partner = partnerIn(chat, me);
  const others = here.filter(({ user }) => user !== me);
  const title = titleOf(chat, me);
  return (
    <header className="page-head">
      {!wide && (
        <a className="icon-button" href={HREF_OF_CHATS} aria-label="All chats">
          <ChevronLeftIcon />
        </a>
      )}
      {partner ? (
        <Avatar user={partner.user} name={nameOf(partner)} status={partner.status} />
      ) : (
        <GroupAvatar chat={chat} me={me} />
      )}
      <div className="page-title">
        <h1>
          <bdi>{title}</bdi>
        </h1>
        <p className="muted">
          {partner ? statusText(partner, now) : people(sizeOf(chat))}
          <span data-testid="here" data-here={others.map(({ user }) => user).join(" ")}>
            {others.length > 0 &&
              (partner
                ? ", in this chat now"
                : `, here now: ${joinNames(others.map((one) => firstName(nameOf(one))))}`)}
          </span>
        </p>
      </div>
      {wide && !partner && (
        <span className="here-avatars" aria-hidden="true">
          {others.slice(0, SHOWN).map((member) => (
            <Initials key={member.user} user={member.user} name={nameOf(member)} />
          ))}
        </span>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label="About this chat"
        title="About this chat"
        onClick={onDetails}
      >
        <UsersIcon />
      </button>
      {tools}
    </header>
  );
}

function people(count: number): string {
  return count === 1 ? "only you" : `${count} people`;
}
