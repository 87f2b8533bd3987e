// The pane with everything that is not the conversation: rooms, who is here, and oneself.

import type { Member } from "everwire";
import { Members } from "../room/Members";
import { RoomList } from "../rooms/RoomList";
import { CloseIcon } from "./icons";
import type { Identity } from "./identity";
import { Monogram } from "./Monogram";
import { ThemeButton } from "./ThemeButton";

interface Props {
  me: Identity;
  room: string;
  ownRooms: readonly string[];
  members: readonly Member[];
  onRename(): void;
  /** Only in a drawer: closes it. */
  onClose?: () => void;
}

export function Side({ me, room, ownRooms, members, onRename, onClose }: Props) {
  const Pane = onClose ? "div" : "aside";
  return (
    // In a drawer, the dialog around it is the landmark.
    <Pane className="side" aria-label={onClose ? undefined : "Rooms and people"}>
      <div className="side-head">
        <p className="wordmark">Everwire</p>
        {onClose && (
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <CloseIcon />
          </button>
        )}
      </div>
      <RoomList current={room} own={ownRooms} onChosen={() => onClose?.()} />
      <Members members={members} me={me.user} />
      <div className="myself">
        <Monogram user={me.user} name={me.name} />
        <p className="myself-name">
          <bdi>{me.name}</bdi>
          <button type="button" className="link" onClick={onRename}>
            Change name
          </button>
        </p>
        <ThemeButton />
      </div>
    </Pane>
  );
}
