// The root component: asks the visitor to sign in, then connects as that person and shows the messenger.

import { EverwireProvider, useClient, useConnectionState } from "everwire/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { createChatUiState } from "../chat/chatUiState";
import { useMessageAnnouncements } from "../chats/useMessageAnnouncements";
import { ConnectionIndicator } from "../connection/ConnectionIndicator";
import { useConnectionLog } from "../connection/useConnectionLog";
import { FaultPanel } from "../faults/FaultPanel";
import type { Services } from "../faults/services";
import { MessengerContext } from "../messenger/context";
import { packageMessenger } from "../messenger/packageMessenger";
import { openChats } from "../page/route";
import { forgetIdentity, type Identity, loadIdentity, remember } from "../people/identity";
import { BreakButton } from "./BreakButton";
import { LiveRegion } from "./LiveRegion";
import { Messenger } from "./Messenger";
import { observeChats } from "./observeChats";
import { SignIn } from "./SignIn";
import { ThemeButton } from "./ThemeButton";

interface Props {
  services: Services;
}

export function App({ services }: Props) {
  const [me, setMe] = useState(loadIdentity);
  const [faultsOpen, setFaultsOpen] = useState(false);
  // Connect to the server that served the page.
  const options = useMemo(
    () => me && { url: location.origin, guest: { user: me.user, name: me.name } },
    [me],
  );

  return (
    <>
      {me && options ? (
        // Each user gets a client of its own.
        <EverwireProvider key={me.user} options={options}>
          <SignedIn
            me={me}
            services={services}
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
        <SignInPage
          services={services}
          faultsOpen={faultsOpen}
          onFaults={setFaultsOpen}
          onDone={(identity) => {
            remember(identity);
            setMe(identity);
          }}
        />
      )}
      <LiveRegion announcer={services.announcer} />
    </>
  );
}

interface SignedInProps extends Props {
  me: Identity;
  faultsOpen: boolean;
  onFaults(open: boolean): void;
  onSignOut(): void;
}

function SignedIn({ me, services, faultsOpen, onFaults, onSignOut }: SignedInProps) {
  const client = useClient();
  const state = useConnectionState();
  const messenger = useMemo(() => packageMessenger(client), [client]);
  const uiState = useMemo(() => createChatUiState(me.user), [me.user]);
  useConnectionLog(client, services);
  useMessageAnnouncements(messenger.chats, me.user, services.announcer);
  useEffect(() => observeChats(client, messenger.chats, services), [client, messenger, services]);
  return (
    <MessengerContext.Provider value={messenger}>
      <Messenger
        me={me}
        uiState={uiState}
        services={services}
        connection={<ConnectionIndicator state={state} />}
        panel={
          faultsOpen ? (close) => <FaultPanel lab={services} client={client} onClose={close} /> : undefined
        }
        onFaults={onFaults}
        onSignOut={onSignOut}
      />
    </MessengerContext.Provider>
  );
}

interface SignInPageProps extends Props {
  faultsOpen: boolean;
  onFaults(open: boolean): void;
  onDone(identity: Identity): void;
}

/** The fault panel is available before sign-in too, so that WebSocket can be blocked before the first connection. */
function SignInPage({ services, faultsOpen, onFaults, onDone }: SignInPageProps) {
  const breakButton = useRef<HTMLButtonElement>(null);
  return (
    <div className="sign-in-page" data-faults={faultsOpen}>
      <SignIn onDone={onDone} />
      <footer className="sign-in-foot">
        <BreakButton
          ref={breakButton}
          layer={services.layer}
          open={faultsOpen}
          onToggle={() => onFaults(!faultsOpen)}
        />
        <ThemeButton />
      </footer>
      {faultsOpen && (
        <FaultPanel
          lab={services}
          onClose={() => {
            onFaults(false);
            breakButton.current?.focus();
          }}
        />
      )}
    </div>
  );
}
