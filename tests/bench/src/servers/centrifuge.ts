// The part of Centrifugo's bidirectional JSON protocol that a subscription without recovery needs. A WebSocket message
// can hold several replies, one per line; the path says how many (`/1`, `/64`, `/recorded`).

import { payloads, type Recording, regrouped } from "../recording.js";
import { Flood } from "./flood.js";
import { serve } from "./listening.js";
import { LIVE, Live, publishing } from "./live.js";

/** How often the server pings with an empty reply: Centrifugo's own default. */
const PING_S = 25;

interface Command {
  id?: number;
  connect?: object;
  subscribe?: { channel: string };
}

export function centrifuge(recording: Recording): Promise<number> {
  const all = payloads(recording);
  const push = (channel: string) => (data: string) =>
    `{"push":{"channel":"${channel}","pub":{"data":${data}}}}`;
  const first = all.slice(0, 1).map(push("first"));
  const lines = (batches: Recording) => {
    const rest = all.map(push("all"));
    return new Flood(
      batches.map((batch) => rest.splice(0, batch.length).join("\n")),
      first,
    );
  };
  const floods: Record<string, Flood> = {
    "1": new Flood(all.map(push("all")), first),
    "64": lines(regrouped(recording, 64)),
    recorded: lines(recording),
  };
  const live = new Live();
  return serve(
    ({ send, socket }) => {
      const pings = setInterval(() => send({}), PING_S * 1000);
      socket.on("close", () => clearInterval(pings));
    },
    ({ send, socket, raw, path }, text) => {
      for (const line of text.split("\n")) {
        const { id, connect, subscribe } = JSON.parse(line) as Command;
        if (connect) send({ id, connect: { client: "1", version: "0", ping: PING_S, pong: true } });
        if (!subscribe) continue;
        send({ id, subscribe: {} });
        if (subscribe.channel === LIVE) {
          live.join(socket, (data) => send({ push: { channel: LIVE, pub: { data } } }));
        } else floods[path.slice(1)]?.send(subscribe.channel, raw);
      }
    },
    publishing(live.publish),
  );
}
