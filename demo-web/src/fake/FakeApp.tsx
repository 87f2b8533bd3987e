// The page with the in-memory client, as Ada: `npm run dev -w demo-web -- --mode fake`.

import { useMemo, useState } from "react";
import { LiveRegion } from "../app/LiveRegion";
import { Messenger } from "../app/Messenger";
import { createChatUiState } from "../chat/chatUiState";
import { useMessageAnnouncements } from "../chats/useMessageAnnouncements";
import { ConnectionIndicator } from "../connection/ConnectionIndicator";
import { FaultPanel } from "../faults/FaultPanel";
import type { Services } from "../faults/services";
import { MessengerContext } from "../messenger/context";
import { FakeClient } from "./client";
import { createSampleServer } from "./sampleData";

const ME = { user: "ada", name: "Ada Lovelace" };

export function FakeApp({ services }: { services: Services }) {
  const client = useMemo(() => new FakeClient(createSampleServer(), ME.user, ME.name), []);
  const uiState = useMemo(() => createChatUiState(ME.user), []);
  const [faultsOpen, setFaultsOpen] = useState(false);
  useMessageAnnouncements(client.chats, ME.user, services.announcer);
  return (
    <MessengerContext.Provider value={client}>
      <Messenger
        me={ME}
        uiState={uiState}
        services={services}
        connection={<ConnectionIndicator state={client.state} />}
        panel={faultsOpen ? (close) => <FaultPanel lab={services} onClose={close} /> : undefined}
        onFaults={setFaultsOpen}
        onSignOut={() => location.reload()}
      />
      <LiveRegion announcer={services.announcer} />
    </MessengerContext.Provider>
  );
}
