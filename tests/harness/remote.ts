// A browser for one test, controlled through its own socket: Chromium by its DevTools protocol, Firefox by WebDriver
// BiDi. Both number their calls and answer with the same number.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { until } from "./until";

export type Params = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id?: number | null;
  readonly result?: unknown;
  /** Chromium nests the message, Firefox does not. */
  readonly error?: { readonly message: string } | string;
  readonly message?: string;
}

/** Calls and their answers over one socket. */
export class Link {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { done(result: unknown): void; failed(error: Error): void }>();
  #last = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const { id, result, error, message } = JSON.parse(String(data)) as Answer;
      const call = this.#waiting.get(id ?? 0);
      this.#waiting.delete(id ?? 0);
      if (error) call?.failed(new Error(typeof error === "string" ? `${error}: ${message}` : error.message));
      else call?.done(result);
    });
  }

  call<T>(method: string, params: Params = {}, sessionId?: string): Promise<T> {
    return new Promise((done, failed) => {
      const id = ++this.#last;
      this.#waiting.set(id, { done: (result) => done(result as T), failed });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }
}

interface Launch {
  /** The name of its profile. */
  readonly name: string;
  readonly program: string;
  readonly flags: (profile: string) => readonly string[];
  /** Additional environment variables. */
  readonly env?: (profile: string) => NodeJS.ProcessEnv;
  /** Finds the URL of its socket in its output so far. */
  readonly address: (said: string) => string | undefined;
}

/** Starts a browser with a fresh profile, which ends with the test. */
export async function startBrowser({ name, program, flags, env, address }: Launch): Promise<Link> {
  const profile = mkdtempSync(join(tmpdir(), `everwire-${name}-`));
  const browser = spawn(program, flags(profile), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env?.(profile) },
    // A process group of its own, so that its child processes end with it.
    detached: true,
  });
  onTestFinished(async () => {
    if (browser.pid !== undefined && browser.exitCode === null) {
      const exit = new Promise((done) => browser.once("exit", done));
      process.kill(-browser.pid, "SIGKILL");
      await exit;
    }
    // The child processes end a moment later, and write until then.
    await until("its profile is gone", () => {
      rmSync(profile, { recursive: true, force: true });
      return true;
    });
  });
  const where = await new Promise<string>((found, failed) => {
    let text = "";
    browser.once("error", failed);
    browser.once("exit", () => failed(new Error(`${program} did not start:\n${text}`)));
    browser.stderr.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      const there = address(text);
      if (there !== undefined) found(there);
    });
  });
  const socket = new WebSocket(where);
  await new Promise((open, failed) => {
    socket.once("open", open);
    socket.once("error", failed);
  });
  onTestFinished(() => socket.terminate());
  return new Link(socket);
}
