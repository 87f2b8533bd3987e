// Above a conversation: who it is with, whether they can be reached, who has it open now, and the way to its details.

import { BackIcon, PeopleIcon } from "../app/icons";
import { HREF_OF_CHATS } from "../app/route";
import { GroupFace } from "../chats/GroupAvatar";
import { partnerIn, sizeOf, titleOf } from "../chats/titles";
import type { Chat, Member } from "../messenger/messengerApi";
import { Face } from "../people/Avatar";
import { Monogram } from "../people/Initials";
import { firstName, nameOf } from "../people/people";
import { enumerated, statusWords } from "../people/statusText";
import { useNow } from "../people/useNow";

interface Props {
  chat: Chat;
  me: string;
  here: readonly Member[];
  wide: boolean;
  onDetails(): void;
  /** Stands at the end. */
  tools: React.ReactNode;
}

/** How many of those who are here are shown as monograms. */
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
          <BackIcon />
        </a>
      )}
      {partner ? (
        <Face user={partner.user} name={nameOf(partner)} status={partner.status} />
      ) : (
        <GroupFace chat={chat} me={me} />
      )}
      <div className="page-title">
        <h1>
          <bdi>{title}</bdi>
        </h1>
        <p className="quiet">
          {partner ? statusWords(partner, now) : people(sizeOf(chat))}
          <span data-testid="here" data-here={others.map(({ user }) => user).join(" ")}>
            {others.length > 0 &&
              (partner
                ? ", in this chat now"
                : `, here now: ${enumerated(others.map((one) => firstName(nameOf(one))))}`)}
          </span>
        </p>
      </div>
      {wide && !partner && (
        <span className="here-faces" aria-hidden="true">
          {others.slice(0, SHOWN).map((member) => (
            <Monogram key={member.user} user={member.user} name={nameOf(member)} />
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
        <PeopleIcon />
      </button>
      {tools}
    </header>
  );
}

function people(count: number): string {
  return count === 1 ? "only you" : `${count} people`;
}
