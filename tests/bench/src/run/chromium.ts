// A headless Chromium, controlled with a few calls of the DevTools protocol. Not with Playwright, which listens to
// every WebSocket message of a page and would be measured too.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { WebSocket } from "ws";
import { start } from "./processes.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const FLAGS = [
  "--headless=new",
  "--remote-debugging-port=0",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-extensions",
  "--disable-dev-shm-usage",
  "--disable-gpu",
  "--mute-audio",
  // So that each measurement can begin with an empty heap.
  "--js-flags=--expose-gc",
];

/** Waits until a page's module has run. */
const LOADED = "document.readyState === 'complete' || new Promise((done) => addEventListener('load', done))";

/** The browser of CHROME, or one on the path. */
function program(): string {
  const named = process.env.CHROME;
  if (named) return named;
  const places = (process.env.PATH ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => places.map((place) => join(place, name))).find(existsSync);
  if (!found) throw new Error("Chromium was not found; install it, or set CHROME to its path.");
  return found;
}

/** Speaks the DevTools protocol. */
class DevTools {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #last = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const { id, result, error } = JSON.parse(data.toString());
      const answer = this.#answers.get(id);
      this.#answers.delete(id);
      if (error) answer?.reject(new Error(`DevTools: ${error.message}`));
      else answer?.resolve(result as never);
    });
    socket.on("close", () => {
      for (const { reject } of this.#answers.values()) reject(new Error("Chromium has ended."));
    });
  }

  call<Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** A page. */
export class Page {
  readonly #tools: DevTools;
  readonly #target: string;
  readonly #session: string;

  private constructor(tools: DevTools, target: string, session: string) {
    this.#tools = tools;
    this.#target = target;
    this.#session = session;
  }

  /** @internal */
  static async open(tools: DevTools, browserContextId: string, url: string): Promise<Page> {
    const blank = { url: "about:blank", browserContextId };
    const { targetId } = await tools.call<{ targetId: string }>("Target.createTarget", blank);
    const attach = { targetId, flatten: true };
    const { sessionId } = await tools.call<{ sessionId: string }>("Target.attachToTarget", attach);
    const page = new Page(tools, targetId, sessionId);
    const { errorText } = await page.call<{ errorText?: string }>("Page.navigate", { url });
    if (errorText) throw new Error(`${url} could not be loaded: ${errorText}`);
    await page.evaluate(LOADED);
    return page;
  }

  /** A call of the DevTools protocol for this page. */
  call<Result>(method: string, params: object = {}): Promise<Result> {
    return this.#tools.call<Result>(method, params, this.#session);
  }

  /** The awaited value of an expression in the page. */
  async evaluate<Result>(expression: string): Promise<Result> {
    const { result, exceptionDetails } = await this.call<{
      result: { value: Result };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  async close(): Promise<void> {
    await this.#tools.call("Target.closeTarget", { targetId: this.#target });
  }
}

/** Pages that share a cache with each other only. */
export interface Context {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

/** A running browser. */
export interface Chromium {
  /** For example `Chrome/150.0.7000.0`. */
  readonly version: string;
  context(): Promise<Context>;
  stop(): Promise<void>;
}

export async function startChromium(): Promise<Chromium> {
  const profile = await mkdtemp(join(tmpdir(), "everwire-bench-chromium-"));
  const remove = () => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  const flags = [...FLAGS, `--user-data-dir=${profile}`];
  // Chromium's sandbox refuses to run as root, which is the user of most containers.
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  try {
    const running = await start(program(), flags, /^DevTools listening on (\S+)/, "stderr");
    const socket = new WebSocket(running.found, { maxPayload: 0 });
    await once(socket, "open");
    const tools = new DevTools(socket);
    const { product } = await tools.call<{ product: string }>("Browser.getVersion");
    return {
      version: product,
      async context() {
        const { browserContextId } = await tools.call<{ browserContextId: string }>(
          "Target.createBrowserContext",
        );
        return {
          open: (url) => Page.open(tools, browserContextId, url),
          close: async () => void (await tools.call("Target.disposeBrowserContext", { browserContextId })),
        };
      },
      async stop() {
        tools.close();
        await running.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
