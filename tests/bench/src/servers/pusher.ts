// The part of the Pusher Channels protocol, version 7, that a public channel needs. The data of an event is a JSON text
// inside a JSON text, one event per WebSocket message, as the protocol requires.

import { payloads, type Recording } from "../recording.js";
import { Flood } from "./flood.js";
import { serve } from "./listening.js";
import { LIVE, Live, publishing } from "./live.js";

export function pusher(recording: Recording): Promise<number> {
  const event = (data: string) => JSON.stringify({ event: "message", data, channel: "all" });
  const all = payloads(recording);
  const first = all.slice(0, 1).map((data) => JSON.stringify({ event: "message", data, channel: "first" }));
  const flood = new Flood(all.map(event), first);
  const live = new Live();
  return serve(
    ({ send }) => {
      const data = JSON.stringify({ socket_id: "1.1", activity_timeout: 120 });
      send({ event: "pusher:connection_established", data });
    },
    ({ send, socket, raw }, text) => {
      const { event, data } = JSON.parse(text) as { event: string; data: { channel: string } };
      if (event === "pusher:ping") send({ event: "pusher:pong", data: {} });
      if (event !== "pusher:subscribe") return;
      send({ event: "pusher_internal:subscription_succeeded", data: "{}", channel: data.channel });
      if (data.channel === LIVE) {
        live.join(socket, (message) => {
          send({ event: "message", data: JSON.stringify(message), channel: LIVE });
        });
      } else flood.send(data.channel, raw);
    },
    publishing(live.publish),
  );
}
