// One attack against a server of its own, beside honest clients: how much slower they become, how many of them are closed, and
// how much memory the server takes.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Honest, measure, p99, sleep } from "./honest.js";
import { SECRET } from "./wire.js";

export interface Options {
  /** The server's executable. */
  readonly server: string;
  readonly honest: number;
  readonly quietMs: number;
  readonly attackMs: number;
}

export interface Result {
  readonly attack: string;
  readonly quiet_send_p99_ms: number;
  readonly others_send_p99_ms: number;
  readonly others_send_p99_ratio: number;
  readonly others_subscribe_p99_ratio: number;
  readonly others_closed: number;
  readonly peak_rss_mib: number;
}

/** Below this a percentile is the noise of the clock and of the scheduler, in ms. */
const FLOOR = 5;

/** How long the attack runs before it is measured: its sockets have to be opened. */
const WARM_UP = 1_000;

export async function attack(name: string, options: Options): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), "everwire-hostile-"));
  const processes: ChildProcess[] = [];
  try {
    const { child, port } = await startServer(options.server, join(directory, "everwire.db"));
    processes.push(child);
    const users = Array.from({ length: options.honest }, (_, n) => `honest-${n}`);
    const honest = await Promise.all(users.map((user) => Honest.connect(port, user)));
    const quiet = await measure(honest, options.quietMs);
    const attacker = spawn(
      process.execPath,
      ["--import", "tsx", join(import.meta.dirname, "attacker.ts"), name, String(port)],
      // Where its loader is installed.
      { stdio: ["ignore", "inherit", "inherit"], cwd: join(import.meta.dirname, "../bench") },
    );
    processes.push(attacker);
    await sleep(WARM_UP);
    const measured = await measure(honest, options.attackMs);
    if (attacker.exitCode !== null) throw new Error(`The attacker ended with ${attacker.exitCode}.`);
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`);
    const ratio = (kind: "sends" | "subscribes") =>
      round(Math.max(p99(measured[kind]), FLOOR) / Math.max(p99(quiet[kind]), FLOOR));
    const result = {
      attack: name,
      quiet_send_p99_ms: round(p99(quiet.sends)),
      others_send_p99_ms: round(p99(measured.sends)),
      others_send_p99_ratio: ratio("sends"),
      others_subscribe_p99_ratio: ratio("subscribes"),
      others_closed: honest.filter((one) => one.closed).length,
      peak_rss_mib: peakOf(child),
    };
    for (const one of honest) one.close();
    return result;
  } finally {
    for (const child of processes) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

const round = (value: number) => Math.round(value * 10) / 10;

function startServer(program: string, database: string): Promise<{ child: ChildProcess; port: number }> {
  const flags = ["--listen", "127.0.0.1:0", "--database", database, "--count-loopback", "--log", "error"];
  const child = spawn(program, flags, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, EVERWIRE_JWT_SECRET: SECRET },
  });
  return new Promise((listening, failed) => {
    let text = "";
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`The server ended with ${code}.`)));
    child.stdout.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port) listening({ child, port: Number(port) });
    });
  });
}

/** The most memory that a process has had, in MiB. Linux. */
function peakOf(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) / 1024);
}
