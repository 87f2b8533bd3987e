// The real server with a temporary database and a channel full of messages.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Recording, write } from "../recording.js";
import { start } from "./processes.js";
import { publish, record } from "./protocol.js";

/** The channel that is filled. */
export const CHANNEL = "bench.log";

/** A running server, and what it sent when everything was replayed once. */
export interface Everwire {
  readonly url: string;
  /** The directory of its database. */
  readonly directory: string;
  readonly epoch: string;
  readonly recording: Recording;
  /** The recording as a file. */
  readonly file: string;
  stop(): Promise<void>;
}

/** A running server without messages. */
export interface EmptyEverwire {
  readonly url: string;
  readonly pid: number;
  /** The directory of its database. */
  readonly directory: string;
  /** Kills it. */
  kill(): Promise<void>;
  /** Starts one that was killed on the same port, with the same database. */
  restart(): Promise<EmptyEverwire>;
  stop(): Promise<void>;
}

/** Starts the server of EVERWIRE_SERVER. */
export async function startEmptyEverwire(): Promise<EmptyEverwire> {
  return startOn(await mkdtemp(join(tmpdir(), "everwire-bench-")), 0);
}

async function startOn(directory: string, port: number): Promise<EmptyEverwire> {
  const program = process.env.EVERWIRE_SERVER;
  if (!program || !existsSync(program)) {
    throw new Error(
      "EVERWIRE_SERVER does not name the server's program; `cargo xtask bench` builds it and does so.",
    );
  }
  const options = {
    listen: `127.0.0.1:${port}`,
    database: join(directory, "bench.db"),
    "replay-limit": 1_000_000,
    retention: 10_000_000,
    "sends-per-minute": 0,
    log: "warn",
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const running = await start(program, ["--dev", ...flags], /listening on (http:\S+)/);
    const { found: url, pid, kill } = running;
    const restart = () => startOn(directory, Number(new URL(url).port));
    return { url, pid, directory, kill, restart, stop: () => running.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Starts the server, stores `count` messages and records their replay. */
export async function startEverwire(count: number): Promise<Everwire> {
  const { url, directory, stop } = await startEmptyEverwire();
  try {
    await publish(url, CHANNEL, count, Math.min(8, count));
    const { epoch, recording } = await record(url, CHANNEL, count);
    const file = join(directory, "recording");
    write(recording, file);
    return { url, directory, epoch, recording, file, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
