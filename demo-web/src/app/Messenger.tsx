// The page of somebody who has a name: rooms and people, the open room, and the fault panel.

import { useClient, useConnectionState, useMembers } from "everwire/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Indicator } from "../connection/Indicator";
import { FaultPanel } from "../faults/FaultPanel";
import { Empty } from "../room/Empty";
import { Room } from "../room/Room";
import { roomStore } from "../room/store";
import { GIVEN_ROOMS } from "../rooms/names";
import { rememberedRooms, rememberRoom } from "../rooms/remembered";
import { BreakButton } from "./BreakButton";
import { Drawer } from "./Drawer";
import { MenuIcon } from "./icons";
import type { Identity } from "./identity";
import { useMedia, WIDE } from "./media";
import { useRoomSlug } from "./route";
import { Side } from "./Side";
import type { Surroundings } from "./surroundings";
import { useTitle } from "./useTitle";

interface Props {
  me: Identity;
  surroundings: Surroundings;
  faultsOpen: boolean;
  onFaults(open: boolean): void;
  onRename(): void;
}

export function Messenger({ me, surroundings, faultsOpen, onFaults, onRename }: Props) {
  const { layer, tally, trips, journal, announcer } = surroundings;
  const client = useClient();
  const state = useConnectionState();
  const slug = useRoomSlug();
  const wide = useMedia(WIDE);
  const [drawer, setDrawer] = useState(false);
  const breakButton = useRef<HTMLButtonElement>(null);

  const store = useMemo(
    () => roomStore(slug, { client, me, tally, trips, journal }),
    [slug, client, me, tally, trips, journal],
  );
  const members = useMembers(store.channel);

  const [ownRooms, setOwnRooms] = useState(rememberedRooms);
  useEffect(() => setOwnRooms((rooms) => rememberRoom(slug, rooms)), [slug]);

  useEffect(() => store.onArrival(({ name, text }) => announcer.heard(name, text)), [store, announcer]);
  useTitle(store);

  const side = (
    <Side
      me={me}
      room={slug}
      ownRooms={ownRooms}
      members={members}
      onRename={onRename}
      {...(!wide && { onClose: () => setDrawer(false) })}
    />
  );

  return (
    <div className="messenger" data-faults={faultsOpen}>
      {wide ? (
        side
      ) : (
        <Drawer label="Rooms and people" open={drawer} onClose={() => setDrawer(false)}>
          {side}
        </Drawer>
      )}
      <main className="room">
        <div className="room-head">
          {!wide && (
            <button
              type="button"
              className="icon-button"
              aria-label="Rooms and people"
              aria-haspopup="dialog"
              onClick={() => setDrawer(true)}
            >
              <MenuIcon />
            </button>
          )}
          <div className="room-title">
            <h1>#{slug}</h1>
            <p className="quiet">
              {wide ? (GIVEN_ROOMS.get(slug) ?? "A room of your own making.") : `${members.length} here`}
            </p>
          </div>
          <BreakButton
            ref={breakButton}
            layer={layer}
            open={faultsOpen}
            onToggle={() => onFaults(!faultsOpen)}
          />
        </div>
        <Indicator state={state} />
        <Room key={slug} store={store} me={me.user} empty={<Empty room={slug} />} />
      </main>
      {faultsOpen && (
        <FaultPanel
          lab={surroundings}
          client={client}
          onClose={() => {
            onFaults(false);
            breakButton.current?.focus();
          }}
        />
      )}
    </div>
  );
}
