// The whole page: asks who the visitor is, then connects as that person and shows the messenger.

import { EverwireProvider, useClient, useConnectionState } from "everwire/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Indicator } from "../connection/ConnectionIndicator";
import { useWatch } from "../connection/useConnectionLog";
import { FaultPanel } from "../faults/FaultPanel";
import { countChats } from "../faults/observeChats";
import { makeDesk } from "../messenger/chatUiState";
import { MessengerContext } from "../messenger/context";
import { packageMessenger } from "../messenger/packageMessenger";
import { useHearing } from "../messenger/useMessageAnnouncements";
import { BreakButton } from "./BreakButton";
import { forgetIdentity, type Identity, remember, rememberedIdentity } from "./identity";
import { Announced } from "./LiveRegion";
import { Messenger } from "./Messenger";
import { openChats } from "./route";
import { SignIn } from "./SignIn";
import type { Surroundings } from "./services";
import { ThemeButton } from "./ThemeButton";

interface Props {
  surroundings: Surroundings;
}

export function App({ surroundings }: Props) {
  const [me, setMe] = useState(rememberedIdentity);
  const [faultsOpen, setFaultsOpen] = useState(false);
  // The server that served the page.
  const options = useMemo(
    () => me && { url: location.origin, guest: { user: me.user, name: me.name } },
    [me],
  );

  return (
    <>
      {me && options ? (
        // Another user is another client.
        <EverwireProvider key={me.user} options={options}>
          <SignedIn
            me={me}
            surroundings={surroundings}
            faultsOpen={faultsOpen}
            onFaults={setFaultsOpen}
            onSignOut={() => {
              forgetIdentity();
              openChats();
              setMe(undefined);
            }}
          />
        </EverwireProvider>
      ) : (
        <Gate
          surroundings={surroundings}
          faultsOpen={faultsOpen}
          onFaults={setFaultsOpen}
          onDone={(identity) => {
            remember(identity);
            setMe(identity);
          }}
        />
      )}
      <Announced announcer={surroundings.announcer} />
    </>
  );
}

interface SignedInProps extends Props {
  me: Identity;
  faultsOpen: boolean;
  onFaults(open: boolean): void;
  onSignOut(): void;
}

function SignedIn({ me, surroundings, faultsOpen, onFaults, onSignOut }: SignedInProps) {
  const client = useClient();
  const state = useConnectionState();
  const messenger = useMemo(() => packageMessenger(client), [client]);
  const desk = useMemo(() => makeDesk(me.user), [me.user]);
  useWatch(client, surroundings);
  useHearing(messenger.chats, me.user, surroundings.announcer);
  useEffect(() => countChats(client, messenger.chats, surroundings), [client, messenger, surroundings]);
  return (
    <MessengerContext.Provider value={messenger}>
      <Messenger
        me={me}
        desk={desk}
        surroundings={surroundings}
        connection={<Indicator state={state} />}
        panel={
          faultsOpen
            ? (close) => <FaultPanel lab={surroundings} client={client} onClose={close} />
            : undefined
        }
        onFaults={onFaults}
        onSignOut={onSignOut}
      />
    </MessengerContext.Provider>
  );
}

interface GateProps extends Props {
  faultsOpen: boolean;
  onFaults(open: boolean): void;
  onDone(identity: Identity): void;
}

/** The fault panel is here too: WebSocket can be blocked before the first connection is made. */
function Gate({ surroundings, faultsOpen, onFaults, onDone }: GateProps) {
  const breakButton = useRef<HTMLButtonElement>(null);
  return (
    <div className="gate-page" data-faults={faultsOpen}>
      <SignIn onDone={onDone} />
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
