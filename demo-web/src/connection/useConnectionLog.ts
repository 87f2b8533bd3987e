// Records the connection's states in the event log and the timeline, and announces them. The log and the timeline get
// every change; the screen reader only the outcome.

import type { Client } from "everwire";
import { useEffect } from "react";
import type { Services } from "../faults/services";
import { reasonText, statusText } from "./statusText";

export function useConnectionLog(client: Client, { eventLog, timeline, announcer }: Services): void {
  useEffect(() => {
    let announced = "";
    const update = () => {
      const { state } = client;
      timeline.state(state);
      eventLog.add("state", statusText(state), reasonText(state));
      // Attempts are not announced.
      if (state.status === "connecting") return;
      const text = state.status === "waiting" ? "Not connected. Retrying." : `${statusText(state)}.`;
      if (text === announced) return;
      announced = text;
      announcer.announce("connection", text);
    };
    const offState = client.on("state", update);
    const offError = client.on("error", ({ code, message }) => eventLog.add("error", code, message));
    if (client.state.status !== "connecting") update();
    return () => {
      offState();
      offError();
    };
  }, [client, eventLog, timeline, announcer]);
}
