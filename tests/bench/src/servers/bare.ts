// No protocol: each connection gets everything, with as many frames in a WebSocket message as the path says (`/64`),
// one (`/1`), or in the batches that Everwire's server made (`/recorded`).

import { payloads, type Recording, regrouped } from "../recording.js";
import { Flood } from "./flood.js";
import { serve } from "./listening.js";

export function bare(recording: Recording): Promise<number> {
  const batched = (batches: Recording) =>
    new Flood(
      batches.map((batch) => `[${batch.join(",")}]`),
      [`[${recording[0]?.[0]}]`],
    );
  const floods: Record<string, Flood> = {
    "1": new Flood(recording.flat()),
    "64": batched(regrouped(recording, 64)),
    "256": batched(regrouped(recording, 256)),
    recorded: batched(recording),
  };
  return serve(
    ({ path, raw }) => {
      const [, per = "", channel = ""] = path.split("/");
      floods[per]?.send(channel, raw);
    },
    () => {},
  );
}

/**
 * Everwire's protocol, as far as a replay needs it: what the real server sent, from a server without costs of its own.
 */
export function standIn(recording: Recording): Promise<number> {
  const count = payloads(recording).length;
  const channel = (JSON.parse(recording[0]?.[0] ?? "{}") as { channel?: string }).channel;
  const flood = new Flood(recording.map((batch) => `[${batch.join(",")}]`));
  const limits = { payload_bytes: 32_768, batch_bytes: 65_536, batch_frames: 300, subscriptions: 256 };
  return serve(
    () => {},
    ({ send, raw }, text) => {
      const [hello] = JSON.parse(text) as { type: string; session?: string }[];
      if (hello?.type !== "hello") return;
      const { session } = hello;
      const connection = "00000000-0000-4000-8000-000000000001";
      const welcome = {
        type: "welcome",
        version: 1,
        features: [],
        session,
        connection,
        user: "reader",
        run: "1",
        server_time: 0,
        limits,
      };
      send([
        { ...welcome, ping_interval_ms: 25_000, hold_ms: 25_000 },
        { type: "subscribed", channel, epoch: "recorded", offset: 0, head: count },
      ]);
      flood.send("all", raw);
    },
  );
}
