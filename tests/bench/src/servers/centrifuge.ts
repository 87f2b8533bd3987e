// As much of Centrifugo's bidirectional JSON protocol as a subscription without recovery needs. A WebSocket message can
// hold several replies, one a line; the path says how many (`/1`, `/64`, `/recorded`).

import { payloads, type Recording, regrouped } from "../recording.js";
import { Flood } from "./flood.js";
import { serve } from "./listening.js";

interface Command {
  id?: number;
  connect?: object;
  subscribe?: { channel: string };
}

export function centrifuge(recording: Recording): Promise<number> {
  const all = payloads(recording);
  const push = (channel: string) => (data: string) => `{"push":{"channel":"${channel}","pub":{"data":${data}}}}`;
  const first = all.slice(0, 1).map(push("first"));
  const lines = (batches: Recording) => {
    let at = 0;
    const grouped = batches.map((batch) => all.slice(at, (at += batch.length)));
    return new Flood(
      grouped.map((batch) => batch.map(push("all")).join("\n")),
      first,
    );
  };
  const floods: Record<string, Flood> = {
    "1": new Flood(all.map(push("all")), first),
    "64": lines(regrouped(recording, 64)),
    recorded: lines(recording),
  };
  return serve(
    () => {},
    ({ say, raw, path }, text) => {
      for (const line of text.split("\n")) {
        const { id, connect, subscribe } = JSON.parse(line) as Command;
        if (connect) say({ id, connect: { client: "1", version: "0", ping: 25, pong: true } });
        if (!subscribe) continue;
        say({ id, subscribe: {} });
        floods[path.slice(1)]?.send(subscribe.channel, raw);
      }
    },
  );
}
