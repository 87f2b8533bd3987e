// Follows the connection for the fault panel's log and timeline and for the screen reader. Log and timeline have every change;
// the reader hears only where it ended up.

import type { Client } from "everwire";
import { useEffect } from "react";
import type { Surroundings } from "../app/services";
import { because, spoken } from "./statusText";

export function useWatch(client: Client, { journal, timeline, announcer }: Surroundings): void {
  useEffect(() => {
    let said = "";
    const look = () => {
      const { state } = client;
      timeline.state(state);
      journal.add("state", spoken(state), because(state));
      // On the way is nowhere yet.
      if (state.status === "connecting") return;
      const text = state.status === "waiting" ? "Not connected. Trying again." : `${spoken(state)}.`;
      if (text === said) return;
      said = text;
      announcer.say("connection", text);
    };
    const offState = client.on("state", look);
    const offError = client.on("error", ({ code, message }) => journal.add("error", code, message));
    if (client.state.status !== "connecting") look();
    return () => {
      offState();
      offError();
    };
  }, [client, journal, timeline, announcer]);
}
