// A tab that can be hidden and frozen for real. Playwright makes every page believe that it has the focus, and such a page is
// neither; so this speaks Chromium's protocol itself, as far as these tests need it.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { ARGUMENTS, findBrowser } from "./browser";
import { until } from "./until";

type Params = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Chromium's protocol over one socket. */
class Link {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { done(result: unknown): void; failed(error: Error): void }>();
  #last = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const { id, result, error } = JSON.parse(String(data)) as Answer;
      const call = id === undefined ? undefined : this.#waiting.get(id);
      if (id !== undefined) this.#waiting.delete(id);
      if (error) call?.failed(new Error(error.message));
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

export class Tab {
  readonly #link: Link;
  readonly #target: string;
  readonly #session: string;

  private constructor(link: Link, target: string, session: string) {
    this.#link = link;
    this.#target = target;
    this.#session = session;
  }

  /** Opens an address in a browser of its own, which ends with the test. */
  static async open(url: string): Promise<Tab> {
    const link = await launch();
    return Tab.#in(link, url);
  }

  static async #in(link: Link, url: string): Promise<Tab> {
    const { targetId } = await link.call<{ targetId: string }>("Target.createTarget", { url });
    const attach = { targetId, flatten: true };
    const { sessionId } = await link.call<{ sessionId: string }>("Target.attachToTarget", attach);
    const tab = new Tab(link, targetId, sessionId);
    const ready = (url: string) => location.href.startsWith(url) && document.readyState === "complete";
    await until("the tab has loaded", () => tab.evaluate(ready, url).catch(() => false));
    return tab;
  }

  /** Runs a function in the page, like Playwright's. */
  async evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument?: A): Promise<R> {
    const params = {
      expression: `(${run})(${JSON.stringify(argument) ?? ""})`,
      returnByValue: true,
      awaitPromise: true,
    };
    const { result, exceptionDetails } = await this.#call<{
      result: { value: R };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>("Runtime.evaluate", params);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Opens another tab in front of it. */
  async hide(): Promise<void> {
    await Tab.#in(this.#link, "about:blank");
    await until("the tab is hidden", () => this.evaluate(() => document.hidden));
  }

  /** Brings it to the front. */
  async show(): Promise<void> {
    await this.#link.call("Target.activateTarget", { targetId: this.#target });
  }

  /** As the browser does with tabs that nobody looked at for long. */
  async freeze(): Promise<void> {
    await this.#call("Page.setWebLifecycleState", { state: "frozen" });
  }

  async resume(): Promise<void> {
    await this.#call("Page.setWebLifecycleState", { state: "active" });
  }

  #call<T>(method: string, params: Params): Promise<T> {
    return this.#link.call<T>(method, params, this.#session);
  }
}

async function launch(): Promise<Link> {
  const profile = mkdtempSync(join(tmpdir(), "everwire-chromium-"));
  const flags = ["--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const browser: ChildProcess = spawn(findBrowser(), [...ARGUMENTS, ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
    // A group of its own, so that its helpers end with it.
    detached: true,
  });
  onTestFinished(async () => {
    const exit = new Promise((done) => browser.once("exit", done));
    if (browser.pid !== undefined) process.kill(-browser.pid, "SIGKILL");
    await exit;
    // The helpers end a moment later, and write until then.
    await until("its profile is gone", () => {
      rmSync(profile, { recursive: true, force: true });
      return true;
    });
  });
  const address = await new Promise<string>((found, failed) => {
    let text = "";
    browser.once("error", failed);
    browser.once("exit", () => failed(new Error(`Chromium did not start:\n${text}`)));
    browser.stderr?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      const match = /listening on (ws:\S+)/.exec(text);
      if (match?.[1]) found(match[1]);
    });
  });
  const socket = new WebSocket(address);
  await new Promise((open, failed) => {
    socket.once("open", open);
    socket.once("error", failed);
  });
  onTestFinished(() => socket.terminate());
  return new Link(socket);
}
