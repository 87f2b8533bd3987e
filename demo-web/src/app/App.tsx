// The whole page: asks for a name, then connects as that person and shows the messenger.

import { EverwireProvider, useClient } from "everwire/react";
import { useMemo, useRef, useState } from "react";
import { useWatch } from "../connection/useWatch";
import { FaultPanel } from "../faults/FaultPanel";
import { Announced } from "./Announced";
import { BreakButton } from "./BreakButton";
import { IdentityGate } from "./IdentityGate";
import { type Identity, remember, rememberedIdentity } from "./identity";
import { Messenger } from "./Messenger";
import { useRoomSlug } from "./route";
import type { Surroundings } from "./surroundings";
import { ThemeButton } from "./ThemeButton";

interface Props {
  surroundings: Surroundings;
}

export function App({ surroundings }: Props) {
  const [me, setMe] = useState(rememberedIdentity);
  const [renaming, setRenaming] = useState(false);
  const [faultsOpen, setFaultsOpen] = useState(false);
  // The server that served the page.
  const options = useMemo(
    () => me && { url: location.origin, guest: { user: me.user, name: me.name } },
    [me],
  );

  const named = (identity: Identity) => {
    remember(identity);
    setMe(identity);
    setRenaming(false);
  };

  const gate = (
    <Gate
      known={me}
      surroundings={surroundings}
      faultsOpen={faultsOpen}
      onFaults={setFaultsOpen}
      onDone={named}
      onCancel={me && (() => setRenaming(false))}
    />
  );

  return (
    <>
      {me && options ? (
        // Stays while the name is changed: what waits to be sent must not be lost by looking at that page.
        <EverwireProvider options={options}>
          <Watch surroundings={surroundings} />
          {renaming ? (
            gate
          ) : (
            <Messenger
              me={me}
              surroundings={surroundings}
              faultsOpen={faultsOpen}
              onFaults={setFaultsOpen}
              onRename={() => setRenaming(true)}
            />
          )}
        </EverwireProvider>
      ) : (
        gate
      )}
      <Announced announcer={surroundings.announcer} />
    </>
  );
}

/** Whatever is shown of the client, it is followed. */
function Watch({ surroundings }: Props) {
  useWatch(useClient(), surroundings);
  return null;
}

interface GateProps {
  known: Identity | undefined;
  surroundings: Surroundings;
  faultsOpen: boolean;
  onFaults(open: boolean): void;
  onDone(identity: Identity): void;
  onCancel: (() => void) | undefined;
}

/** The fault panel is here too: WebSocket can be blocked before the first connection is made. */
function Gate({ known, surroundings, faultsOpen, onFaults, onDone, onCancel }: GateProps) {
  const room = useRoomSlug();
  const breakButton = useRef<HTMLButtonElement>(null);
  return (
    <div className="gate-page" data-faults={faultsOpen}>
      <IdentityGate known={known} room={room} onDone={onDone} onCancel={onCancel} />
      <footer className="gate-foot">
        <BreakButton
          ref={breakButton}
          layer={surroundings.layer}
          open={faultsOpen}
          onToggle={() => onFaults(!faultsOpen)}
        />
        <ThemeButton />
      </footer>
      {faultsOpen && (
        <FaultPanel
          lab={surroundings}
          onClose={() => {
            onFaults(false);
            breakButton.current?.focus();
          }}
        />
      )}
    </div>
  );
}
