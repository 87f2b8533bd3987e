// Starts programs that report where they listen, and stops them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ServerName } from "../servers/main.js";

/** A program that runs until it is stopped. */
export interface Running {
  /** What the pattern matched in its output. */
  readonly found: string;
  readonly pid: number;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const children = new Set<ChildProcess>();

// They must end with this process, whatever ends it.
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Starts a program and waits until a line of its output matches. Rejects with its output if it exits before. */
export async function start(
  program: string,
  args: readonly string[],
  ready: RegExp,
  stream: "stdout" | "stderr" = "stdout",
): Promise<Running> {
  const child = spawn(program, args, { stdio: "pipe" });
  children.add(child);
  child.on("exit", () => children.delete(child));
  const lines: string[] = [];
  const found = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Error(`${program} ${why}; its last output was:\n${lines.slice(-20).join("\n")}`));
    child.on("error", (error) => fail(`could not be started (${error.message})`));
    child.on("close", (code) => fail(`ended with ${code} before it was ready`));
    for (const name of ["stdout", "stderr"] as const) {
      createInterface(child[name]).on("line", (line) => {
        lines.push(line);
        const match = name === stream ? ready.exec(line) : null;
        if (match?.[1] !== undefined) resolve(match[1]);
      });
    }
  });
  if (child.pid === undefined) throw new Error(`${program} has no process`);
  return { found, pid: child.pid, kill: () => kill(child), stop: () => stop(child) };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function kill(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.stdin?.end();
  child.kill("SIGTERM");
  // A program that does not end when asked to must not stay behind.
  const killTimer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(killTimer);
}

/** A module of this benchmark as a process; resolves to its port. */
async function module(file: string, args: readonly string[]): Promise<Running & { port: number }> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const running = await start(process.execPath, ["--import", "tsx", path, ...args], /^listening on (\d+)$/);
  return { ...running, port: Number(running.found) };
}

/** One of the servers of ../servers, on a free port; most need a recording. */
export const startServer = (name: ServerName, recording?: string) =>
  module("../servers/main.ts", recording === undefined ? [name] : [name, recording]);

/** The chat server of socket.io, on this port. */
export const startSocketIoChat = (port: number) =>
  module("../servers/main.ts", ["socket.io-chat", "", String(port)]);

/** A crowd that chats on a server, once all of them are connected. */
export const startCrowd = (kind: "everwire" | "socket.io", url: string, count: number) =>
  module("../servers/crowd.ts", [kind, url, String(count)]);

/** The publishers, which work on request. */
export const startPublishers = (url: string) => module("../servers/publishers.ts", [url]);
