// The part of the protocol of Phoenix channels, version 2.0.0 of its JSON serializer, that a topic without
// authorization needs: [join_ref, ref, topic, event, payload], one per WebSocket message.

import { payloads, type Recording } from "../recording.js";
import { Flood } from "./flood.js";
import { serve } from "./listening.js";

export function phoenix(recording: Recording): Promise<number> {
  const all = payloads(recording);
  const push = (topic: string) => (payload: string) => `[null,null,"${topic}","message",${payload}]`;
  const flood = new Flood(all.map(push("all")), all.slice(0, 1).map(push("first")));
  return serve(
    () => {},
    ({ send, raw }, text) => {
      const [joinRef, ref, topic, event] = JSON.parse(text) as string[];
      send([joinRef, ref, topic, "phx_reply", { status: "ok", response: {} }]);
      if (event === "phx_join") flood.send(topic ?? "", raw);
    },
  );
}
