// What Everwire's server actually sent, batch by batch: every other server of a benchmark sends the same messages in
// its own protocol, and the bare loop gets the very same batches.

import { readFileSync, writeFileSync } from "node:fs";

/** A message as Everwire's server encodes it. */
export interface MessageFrame {
  type: "message";
  channel: string;
  offset: number;
  id: string;
  user: string;
  name?: string;
  at: number;
  data: { text: string };
}

/** The JSON text of each message, in the original batches. */
export type Recording = readonly (readonly string[])[];

export function write(recording: Recording, file: string): void {
  writeFileSync(file, recording.map((batch) => `[${batch.join(",")}]`).join("\n"));
}

export function read(file: string): Recording {
  const batches = readFileSync(file, "utf8").split("\n");
  return batches.map((line) => (JSON.parse(line) as MessageFrame[]).map((frame) => JSON.stringify(frame)));
}

/** The same for an application of a protocol with its own envelope: without the fields of the envelope. */
export function payloads(recording: Recording): string[] {
  return recording.flat().map((text) => {
    const { type: _type, channel: _channel, ...rest } = JSON.parse(text) as MessageFrame;
    return JSON.stringify(rest);
  });
}

/** Other batches of the same messages. */
export function regrouped(recording: Recording, size: number): Recording {
  const all = recording.flat();
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}
