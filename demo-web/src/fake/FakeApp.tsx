// The page on the client in memory, as Ada: `npm run dev -w demo-web -- --mode fake`.

import { useMemo, useState } from "react";
import { Announced } from "../app/LiveRegion";
import { Messenger } from "../app/Messenger";
import type { Surroundings } from "../app/services";
import { Indicator } from "../connection/ConnectionIndicator";
import { FaultPanel } from "../faults/FaultPanel";
import { makeDesk } from "../messenger/chatUiState";
import { MessengerContext } from "../messenger/context";
import { useHearing } from "../messenger/useMessageAnnouncements";
import { FakeClient } from "./client";
import { makeWorld } from "./sampleData";

const ME = { user: "ada", name: "Ada Lovelace" };

export function FakeApp({ surroundings }: { surroundings: Surroundings }) {
  const client = useMemo(() => new FakeClient(makeWorld(), ME.user, ME.name), []);
  const desk = useMemo(() => makeDesk(ME.user), []);
  const [faultsOpen, setFaultsOpen] = useState(false);
  useHearing(client.chats, ME.user, surroundings.announcer);
  return (
    <MessengerContext.Provider value={client}>
      <Messenger
        me={ME}
        desk={desk}
        surroundings={surroundings}
        connection={<Indicator state={client.state} />}
        panel={faultsOpen ? (close) => <FaultPanel lab={surroundings} onClose={close} /> : undefined}
        onFaults={setFaultsOpen}
        onSignOut={() => location.reload()}
      />
      <Announced announcer={surroundings.announcer} />
    </MessengerContext.Provider>
  );
}
